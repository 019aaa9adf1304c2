"""Two pieces of a matrix product that never leave the vector registers, spelled in LLVM's vector instructions.

A product written as loops makes LLVM vectorise the innermost one, and then every multiplication waits for a sum that is
loaded from memory and stored back: half of the processor's rate at best. A *tile* keeps a small block of sums in
registers while the terms run through it, which numba's loops cannot express. So each tile is an intrinsic: a Python
function that writes, at compile time, the vector code for one shape of block. `products` walks them over matrices.

`sum_*`: the axis of the result is contiguous. Two rows of four vectors of sums; each term loads four vectors of b and
two numbers of a, and makes eight multiply-adds.

`dot_*`: the axis of summation is contiguous. Two rows by half a vector of sums (or one row by a whole one), one vector
of partial sums each; in the end a tree of shuffles and additions folds all of them at once.

Each sum is added up in an order that depends on its own terms only, not on the tile it falls into. So a row of a
product has the same bits whichever rows are computed with it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from tinymeta.base.processor import REGISTER_BYTES

INDEX = ir.IntType(64)
LANE = ir.IntType(32)
WHOLE, HALF, SINGLE = "whole", "half", "single"  # how many sums a row of a `dot_*` tile has
FUSED = ("contract",)  # a product and a sum become one instruction where the processor has it, two where it has not


def lanes_of(dtype: Any) -> int:
    """Numbers of numba type `dtype` in a vector register."""
    return 8 * REGISTER_BYTES // dtype.bitwidth


@intrinsic
def lanes(typing, array):
    """Numbers of the array's dtype in a vector register, a constant of the compiled code."""

    def generate(context, builder, signature, arguments):
        return context.get_constant(types.intp, lanes_of(array.dtype))

    return types.intp(array), generate


class _Writer:
    """Writes vector code over three arrays: addresses, loads, stores and multiply-adds of `lanes` numbers at a time."""

    def __init__(self, context: Any, builder: ir.IRBuilder, dtype: Any, lanes: int):
        self.context = context
        self.builder = builder
        self.lanes = lanes
        self.bytes = dtype.bitwidth // 8
        self.number = context.get_data_type(dtype)
        self.vector = ir.VectorType(self.number, lanes)

    def data(self, array_type: Any, array: Any) -> Any:
        return self.context.make_array(array_type)(self.context, self.builder, array).data

    def add(self, x: Any, y: Any) -> Any:
        return self.builder.add(x, y)

    def at(self, start: Any, stride: Any, count: int) -> Any:
        """start + count·stride, for a constant count."""
        return self.add(start, self.builder.mul(stride, INDEX(count)))

    def pointer(self, data: Any, index: Any, lanes: int) -> Any:
        return self.builder.bitcast(self.builder.gep(data, [index]), ir.VectorType(self.number, lanes).as_pointer())

    def load(self, data: Any, index: Any, lanes: int | None = None) -> Any:
        return self.builder.load(self.pointer(data, index, lanes or self.lanes), align=self.bytes)

    def store(self, vector: Any, data: Any, index: Any) -> None:
        self.builder.store(vector, self.pointer(data, index, vector.type.count), align=self.bytes)

    def multiply_add(self, x: Any, y: Any, total: Any) -> Any:
        """x·y + total."""
        return self.builder.fadd(self.builder.fmul(x, y, flags=FUSED), total, flags=FUSED)

    def shuffle(self, x: Any, y: Any, order: Sequence[int]) -> Any:
        return self.builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(LANE, len(order)), order))

    def everywhere(self, data: Any, index: Any) -> Any:
        """A vector whose lanes all hold the number at `index`."""
        empty = ir.Constant(self.vector, ir.Undefined)
        one = self.builder.insert_element(empty, self.builder.load(self.builder.gep(data, [index])), LANE(0))
        return self.shuffle(one, empty, [0] * self.lanes)

    def loop(self, stop: Any, step: int, sums: list, body: Callable[[Any, list], list]) -> list:
        """t = 0, step, … while t < stop, at least once: the sums that ``body(t, sums)`` returns are carried along."""
        before = self.builder.block
        inside = self.builder.append_basic_block("terms")
        after = self.builder.append_basic_block("summed")
        self.builder.branch(inside)
        self.builder.position_at_end(inside)
        t = self.builder.phi(INDEX)
        carried = [self.builder.phi(self.vector) for _ in sums]
        t.add_incoming(INDEX(0), before)
        new = body(t, carried)
        t_next = self.add(t, INDEX(step))
        t.add_incoming(t_next, inside)
        for phi, first, later in zip(carried, sums, new, strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(later, inside)
        self.builder.cbranch(self.builder.icmp_signed("<", t_next, stop), inside, after)
        self.builder.position_at_end(after)
        return new

    def fold(self, vectors: list) -> Any:
        """One vector with the sum over the lanes of each of `vectors`: a power of two of them, no more than lanes.

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


def _one_dtype(*arrays: Any) -> Any:
    dtype = arrays[0].dtype
    alike = all(array.dtype == dtype and array.layout == "C" for array in arrays)
    if not alike or dtype not in (types.float32, types.float64):
        raise TypingError(f"a tile takes contiguous arrays of one float dtype, got {', '.join(map(str, arrays))}")
    return dtype


def _make_sum(rows: int, vectors: int, narrow: bool = False) -> Any:
    """c[r, v] += Σ_t a[r, t] · b[t, v] on `rows` × (`vectors` registers), or × one number if `narrow`.

    At least one term. Every array is addressed by its first element, counted from the array's beginning, and strides in
    elements. b and c have contiguous columns; a has any two strides, so it may be a matrix or its transpose.
    """

    @intrinsic
    def tile(typing, a, a_first, a_row, a_term, b, b_first, b_term, c, c_first, c_row, terms):
        dtype = _one_dtype(a, b, c)

        def generate(context, builder, signature, arguments):
            a_, a_first, a_row, a_term, b_, b_first, b_term, c_, c_first, c_row, terms = arguments
            write = _Writer(context, builder, dtype, 1 if narrow else lanes_of(dtype))
            a_data, b_data, c_data = write.data(a, a_), write.data(b, b_), write.data(c, c_)
            offsets = [(r, INDEX(v * write.lanes)) for r in range(rows) for v in range(vectors)]
            at_c = [write.add(write.at(c_first, c_row, r), offset) for r, offset in offsets]

            def term(t, sums):
                b_t = write.add(b_first, builder.mul(t, b_term))
                weights = [write.load(b_data, write.add(b_t, INDEX(v * write.lanes))) for v in range(vectors)]
                a_t = write.add(a_first, builder.mul(t, a_term))
                factors = [write.everywhere(a_data, write.at(a_t, a_row, r)) for r in range(rows)]
                return [write.multiply_add(factors[i // vectors], weights[i % vectors], s) for i, s in enumerate(sums)]

            totals = write.loop(terms, 1, [write.load(c_data, i) for i in at_c], term)
            for total, index in zip(totals, at_c, strict=True):
                write.store(total, c_data, index)
            return context.get_dummy_value()

        n = types.intp
        return types.void(a, n, n, n, b, n, n, c, n, n, n), generate

    return tile


def _make_dot(rows: int, columns: str) -> Any:
    """c[r, q] += Σ_j a[r, j] · b[q, j] on `rows` × (a WHOLE or HALF register of sums, or a SINGLE one).

    j runs over whole registers, at least one.
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
                return [write.multiply_add(left[i // count], right[i % count], s) for i, s in enumerate(sums)]

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


sum_2x4 = _make_sum(2, 4)
sum_1x4 = _make_sum(1, 4)
sum_2x1 = _make_sum(2, 1)
sum_1x1 = _make_sum(1, 1)
sum_narrow = _make_sum(1, 1, narrow=True)
dot_2_half = _make_dot(2, HALF)
dot_1_whole = _make_dot(1, WHOLE)
dot_1_half = _make_dot(1, HALF)
dot_single = _make_dot(1, SINGLE)
