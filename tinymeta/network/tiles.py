"""Two pieces of a matrix product that never leave the vector registers, spelled in LLVM's vector instructions.

A product written as loops makes LLVM vectorise the innermost one, and then every multiplication waits for a sum that
is loaded from memory and stored back: half of the processor's rate at best. A *tile* keeps a small block of sums in
registers while the terms run through it, which numba's loops cannot express. So each tile is an intrinsic: a Python
function that writes, at compile time, the vector code for one shape of block. `primitives` walks them over whole
matrices.

- `sum_*`: the axis of the result is contiguous. Two rows of four vectors of sums; each term loads four vectors of b
and two
  numbers of a, and makes eight fused multiply-adds.
- `dot_*`: the axis of summation is contiguous. Two rows by half a vector of sums (or one row by a whole one), one
vector of partial
  sums each; in the end a tree of shuffles and additions folds all of them at once.

Each sum is added up in an order that depends on its own terms only, not on the tile it falls into. So a row of a
product has the same bits whichever rows are computed with it.
"""

from llvmlite import binding, ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

_FEATURES = binding.get_host_cpu_features()

REGISTER_BYTES = 64 if _FEATURES.get("avx512f") else 32 if _FEATURES.get("avx2") else 16

INDEX, LANE = ir.IntType(64), ir.IntType(32)

WHOLE, HALF, SINGLE = "whole", "half", "single"


def lanes_of(dtype):
    """Numbers of numba type `dtype` in a vector register."""
    return 8 * REGISTER_BYTES // dtype.bitwidth


@intrinsic
def lanes(typing, array):
    """Numbers of the array's dtype in a vector register, a constant of the compiled code."""

    def generate(context, builder, signature, arguments):
        return context.get_constant(types.intp, lanes_of(array.dtype))

    return types.intp(array), generate


class _Writer:
    """Writes vector code over three arrays: addresses, loads, stores and fused multiply-adds of `lanes` numbers at a
    time.
    """

    def __init__(self, context, builder, dtype, lanes):
        self.context, self.builder, self.lanes, self.bytes = context, builder, lanes, dtype.bitwidth // 8
        self.number = context.get_data_type(dtype)
        self.vector = ir.VectorType(self.number, lanes)
        name = f"llvm.fma.v{lanes}f{dtype.bitwidth}"
        self.fma = builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(self.vector, [self.vector] * 3), name
        )

    def data(self, array_type, array):
        return self.context.make_array(array_type)(self.context, self.builder, array).data

    def add(self, x, y):
        return self.builder.add(x, y)

    def at(self, start, stride, count):
        """start + count·stride, for a constant count."""
        return self.add(start, self.builder.mul(stride, INDEX(count)))

    def pointer(self, data, index, lanes):
        return self.builder.bitcast(self.builder.gep(data, [index]), ir.VectorType(self.number, lanes).as_pointer())

    def load(self, data, index, lanes=None):
        return self.builder.load(self.pointer(data, index, lanes or self.lanes), align=self.bytes)

    def store(self, vector, data, index):
        self.builder.store(vector, self.pointer(data, index, vector.type.count), align=self.bytes)

    def shuffle(self, x, y, order):
        return self.builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(LANE, len(order)), order))

    def everywhere(self, data, index):
        """A vector whose lanes all hold the number at `index`."""
        empty = ir.Constant(self.vector, ir.Undefined)
        one = self.builder.insert_element(empty, self.builder.load(self.builder.gep(data, [index])), LANE(0))
        return self.shuffle(one, empty, [0] * self.lanes)

    def loop(self, stop, step, sums, body):
        """t = 0, step, … while t < stop, at least once: the sums that ``body(t, sums)`` returns are carried along."""
        before, inside, behind = (
            self.builder.block,
            *(self.builder.append_basic_block(name) for name in ("terms", "summed")),
        )
        self.builder.branch(inside)
        self.builder.position_at_end(inside)
        t, carried = self.builder.phi(INDEX), [self.builder.phi(self.vector) for _ in sums]
        t.add_incoming(INDEX(0), before)
        new = body(t, carried)
        t_next = self.add(t, INDEX(step))
        t.add_incoming(t_next, inside)
        for phi, first, later in zip(carried, sums, new, strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(later, inside)
        self.builder.cbranch(self.builder.icmp_signed("<", t_next, stop), inside, behind)
        self.builder.position_at_end(behind)
        return new

    def fold(self, vectors):
        """One vector with the sum over the lanes of each of `vectors` (a power of two of them, at most as many as
        lanes).

        Each round adds the upper half of every group of partial sums to its lower half, packing two vectors into one
        as long as there are two.
        """
        width = self.lanes  # partial sums per group
        while width > 1:
            pairs = zip(vectors[::2], vectors[1::2], strict=True) if len(vectors) > 1 else [(vectors[0], vectors[0])]
            size = vectors[0].type.count
            starts = list(range(0, 2 * size if len(vectors) > 1 else size, width))
            lower = [start + i for start in starts for i in range(width // 2)]
            upper = [i + width // 2 for i in lower]
            vectors = [self.builder.fadd(self.shuffle(x, y, lower), self.shuffle(x, y, upper)) for x, y in pairs]
            width //= 2
        return vectors[0]


def _one_dtype(*arrays):
    dtype = arrays[0].dtype
    if any(array.dtype != dtype or array.layout != "C" for array in arrays) or dtype not in (
        types.float32,
        types.float64,
    ):
        raise TypingError(f"a tile takes contiguous arrays of one float dtype, got {', '.join(map(str, arrays))}")
    return dtype


def _make_sum(rows, vectors, narrow=False):
    """c[r, v] += Σ_t a[r, t] · b[t, v] on `rows` × (`vectors` registers), or × one number if `narrow`; at least one
    term.

    Every array is addressed by its first element, counted from the array's beginning, and strides in elements. b and c
    have contiguous columns; a has any two strides, so it may be a matrix or its transpose.
    """

    @intrinsic
    def tile(typing, a, a_first, a_row, a_term, b, b_first, b_term, c, c_first, c_row, terms):
        dtype = _one_dtype(a, b, c)

        def generate(context, builder, signature, arguments):
            a_, a_first, a_row, a_term, b_, b_first, b_term, c_, c_first, c_row, terms = arguments
            write = _Writer(context, builder, dtype, 1 if narrow else lanes_of(dtype))
            a_data, b_data, c_data = write.data(a, a_), write.data(b, b_), write.data(c, c_)
            at_c = [
                write.add(write.at(c_first, c_row, r), INDEX(v * write.lanes))
                for r in range(rows)
                for v in range(vectors)
            ]

            def term(t, sums):
                b_t = write.add(b_first, builder.mul(t, b_term))
                weights = [write.load(b_data, write.add(b_t, INDEX(v * write.lanes))) for v in range(vectors)]
                a_t = write.add(a_first, builder.mul(t, a_term))
                factors = [write.everywhere(a_data, write.at(a_t, a_row, r)) for r in range(rows)]
                return [
                    builder.call(write.fma, [factors[i // vectors], weights[i % vectors], s])
                    for i, s in enumerate(sums)
                ]

            for total, index in zip(
                write.loop(terms, 1, [write.load(c_data, i) for i in at_c], term), at_c, strict=True
            ):
                write.store(total, c_data, index)
            return context.get_dummy_value()

        n = types.intp
        return types.void(a, n, n, n, b, n, n, c, n, n, n), generate

    return tile


def _make_dot(rows, columns):
    """c[r, q] += Σ_j a[r, j] · b[q, j] on `rows` × (a WHOLE or HALF register of sums, or a SINGLE one); j in whole
    registers, >= 1.
    """

    @intrinsic
    def tile(typing, a, a_first, a_row, b, b_first, b_row, c, c_first, c_row, terms):
        dtype = _one_dtype(a, b, c)

        def generate(context, builder, signature, arguments):
            a_, a_first, a_row, b_, b_first, b_row, c_, c_first, c_row, terms = arguments
            write = _Writer(context, builder, dtype, lanes_of(dtype))
            a_data, b_data, c_data = write.data(a, a_), write.data(b, b_), write.data(c, c_)
            count = {WHOLE: write.lanes, HALF: write.lanes // 2, SINGLE: 1}[columns]

            def term(j, sums):
                left = [write.load(a_data, write.add(write.at(a_first, a_row, r), j)) for r in range(rows)]
                right = [write.load(b_data, write.add(write.at(b_first, b_row, q), j)) for q in range(count)]
                return [builder.call(write.fma, [left[i // count], right[i % count], s]) for i, s in enumerate(sums)]

            zero = ir.Constant(write.vector, [0.0] * write.lanes)
            totals = write.fold(write.loop(terms, write.lanes, [zero] * (rows * count), term))
            for r in range(rows):
                index = write.at(c_first, c_row, r)
                own = write.shuffle(totals, totals, list(range(r * count, (r + 1) * count)))
                write.store(builder.fadd(write.load(c_data, index, count), own), c_data, index)
            return context.get_dummy_value()

        n = types.intp
        return types.void(a, n, n, b, n, n, c, n, n, n), generate

    return tile


sum_2x4, sum_1x4, sum_2x1, sum_1x1 = _make_sum(2, 4), _make_sum(1, 4), _make_sum(2, 1), _make_sum(1, 1)

sum_narrow = _make_sum(1, 1, narrow=True)

dot_2_half, dot_1_whole, dot_1_half, dot_single = (
    _make_dot(2, HALF),
    _make_dot(1, WHOLE),
    _make_dot(1, HALF),
    _make_dot(1, SINGLE),
)
