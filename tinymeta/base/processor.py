"""What the processor that numba compiles for has: the width of its vector registers.

Numba compiles for the machine it runs on, or for the one that NUMBA_CPU_NAME names. Of the former LLVM tells the
features; of the latter it is asked what it makes of an addition of 64-byte vectors.
"""

from llvmlite import binding
from numba.core import config

ADDITION = """
define <16 x float> @add(<16 x float> %x, <16 x float> %y) {
  %z = fadd <16 x float> %x, %y
  ret <16 x float> %z
}
"""


def register_bytes(cpu_name: str | None = None) -> int:
    """Bytes of a vector register: 64 with AVX-512, 32 with AVX2, 16 everywhere else.

    `cpu_name` is one of LLVM's names, such as haswell or generic; None stands for this machine.
    """
    if cpu_name is None:
        features = binding.get_host_cpu_features()
        return 64 if features.get("avx512f") else 32 if features.get("avx2") else 16
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    machine = binding.Target.from_default_triple().create_target_machine(cpu=cpu_name)
    assembly = machine.emit_assembly(binding.parse_assembly(ADDITION))
    return 64 if "zmm" in assembly else 32 if "ymm" in assembly else 16


REGISTER_BYTES = register_bytes(getattr(config, "CPU_NAME", None))
