"""Runs PyTorch and Easel in turn and prints how they compare. Start it by bench/peers.sh, whose head says more."""
import argparse, json, os, subprocess, sys, time
from statistics import median

PEERS, PEER = os.path.abspath("../shared/peers"), os.path.abspath("bench/peer.py")
JOURNAL = "build/peers.jsonl"
EASEL = "build/easel-cli bench --shape sd15 --res 512 --batch 1 --rank 16 --runs 2 --json --part"
STEP, UNET, PICTURE = {"step": "step_s"}, {"unet": "call_s"}, {"picture": "picture_s"}
VAE = {"vae encode": "encode_s", "vae decode": "decode_s"}


def comparisons(bf16):
    """For each row: PyTorch's script, Easel's part, and PyTorch's name for the seconds of each part that Easel reports.

    Where the processor does not multiply bfloat16, PyTorch is fastest in f32, and Easel's bf16 is how it stores frozen weights
    while it computes in f32."""
    half, weights = ("bf16", "bf16-weights") if bf16 else ("f32", "f32")
    train, infer = "train_step.py --steps 3 --dtype ", "inference.py --part "
    picture = os.path.abspath("bench/picture.py") + " --dtype "
    return {
        "step-bf16": (train + weights, "step --dtype bf16", STEP),
        "step-f32": (train + "f32", "step --dtype f32", STEP),
        # Each with the least memory: PyTorch computes activations twice, Easel keeps to a limit. From the version on that has one.
        "step-small": (train + weights + " --checkpointing", "step --dtype bf16 --memory 1.6GiB", STEP),
        "unet-bf16": (infer + "unet --dtype " + half, "unet --dtype bf16", UNET),
        "unet-f32": (infer + "unet --dtype f32", "unet --dtype f32", UNET),
        # The same for a checkpoint in half precision, as most are: Easel computes in f32 with weights as the file has them.
        "step-f32-f16": (train + "f32", "step --dtype f32 --file f16", STEP),
        "unet-f32-f16": (infer + "unet --dtype f32", "unet --dtype f32 --file f16", UNET),
        "vae-bf16": (infer + "vae --dtype " + half, "vae --dtype bf16", VAE),
        "vae-f32": (infer + "vae --dtype f32", "vae --dtype f32", VAE),
        "picture-bf16": (picture + half, "picture --dtype bf16 --runs 1", PICTURE),
    }


def run(command, env, cwd="."):
    """The objects among the lines that a command prints."""
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def pytorch(script, parts, avx2):
    """Seconds of each part, and the peak in GiB."""
    env = {"LD_PRELOAD": os.environ["EASEL_TCMALLOC"], "PYTHONPATH": PEERS}
    if avx2:
        env.update(ONEDNN_MAX_CPU_ISA="AVX2", ATEN_CPU_CAPABILITY="avx2", MKL_ENABLE_INSTRUCTIONS="AVX2")
    found = run([sys.executable, PEER, *script.split()], env, PEERS)[-1]
    return {part: found[field] for part, field in parts.items()}, found["peak_gib"]


def easel(part, parts, avx2):
    """The same of Easel. PyTorch's script holds encoder and decoder in one process, so the higher peak counts."""
    found = [r for r in run((EASEL + " " + part).split(), {"EASEL_ISA": "avx2"} if avx2 else {}) if r["part"] in parts]
    return {r["part"]: r["seconds"] for r in found}, max(r["peak_bytes"] for r in found) / 2**30


def compare(name, comparison, a):
    """Both in turn; one line of the table for each part."""
    script, part, parts = comparison
    measured = {"PyTorch": [], "Easel": []}
    for i in range(a.runs):
        for program, measure, what in (("PyTorch", pytorch, script), ("Easel", easel, part)):
            seconds, peak = measure(what, parts, a.avx2)
            measured[program].append((seconds, peak))
            record(row=name, run=i + 1, program=program, command=what, avx2=a.avx2, seconds=seconds, peak_gib=round(peak, 3))
    for p in parts:
        (ts, tm), (es, em) = ((median(s[p] for s, _ in m), median(g for _, g in m)) for m in measured.values())
        record(row=name, part=p, avx2=a.avx2, pytorch_s=ts, easel_s=es, speed=ts / es, pytorch_gib=tm, easel_gib=em, memory=em / tm)
        label = name if len(parts) == 1 else p.replace("vae", name)
        yield f"{label:<16} {ts:>9.2f} s {es:>9.2f} s {ts / es:>6.2f} x {tm:>9.2f} GiB {em:>9.2f} GiB {100 * em / tm:>5.0f} %"


def record(**fields):
    with open(JOURNAL, "a") as f:
        f.write(json.dumps(dict(at=time.strftime("%FT%T"), **fields)) + "\n")


def processor():
    with open("/proc/cpuinfo") as f:
        fields = dict(map(str.strip, line.split(":", 1)) for line in f if ":" in line)
    return fields["model name"], fields["flags"].split()


def main():
    name, flags = processor()
    p = argparse.ArgumentParser(prog="bench/peers.sh", description="Compares Easel with PyTorch on SD 1.5's shape.")
    p.add_argument("rows", nargs="*", metavar="row", help="rows to measure; without any, all: " + " ".join(comparisons(True)))
    p.add_argument("--runs", type=int, default=3, help="times that each program runs, of which the median counts")
    p.add_argument("--avx2", action="store_true", help="hold both programs to AVX2")
    a = p.parse_args()
    rows = comparisons("avx512_bf16" in flags and not a.avx2)  # as has whatever has AMX
    if unknown := set(a.rows) - set(rows):
        p.error(f"there is no row {', '.join(unknown)}; choose from {' '.join(rows)}")
    print(f"{name}, {os.cpu_count()} processors{', held to AVX2' if a.avx2 else ''}, {time.strftime('%F')}: medians of {a.runs}")
    print(f"{'':<16} {'PyTorch':>11} {'Easel':>11} {'speed':>8} {'PyTorch':>13} {'Easel':>13} {'memory':>7}", flush=True)
    for row in a.rows or rows:
        if row == "step-small" and "-memory" not in subprocess.run(["build/easel-cli", "bench", "-h"], capture_output=True, text=True).stdout:
            print(f"{row:<16} skipped: this Easel's bench has no --memory")
            continue
        for line in compare(row, rows[row], a):
            print(line, flush=True)


main()
