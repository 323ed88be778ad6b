"""Runs a script of shared/peers under tcmalloc, so that its peak counts what it works with: tcmalloc would keep the memory of the
f32 weights from which the script makes bf16 ones. `python3 peer.py SCRIPT ARGS`, with shared/peers in PYTHONPATH."""
import ctypes, runpy, sys
import reference_models as ref


class PeakMemory(ref.PeakMemory):
    def __enter__(self):
        ctypes.CDLL(None).MallocExtension_ReleaseFreeMemory()
        return super().__enter__()


ref.PeakMemory = PeakMemory
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
