"""Prints what bench/run measured, one JSON object a line: the best run of each label, and how ours compares with a peer."""
import json
import sys

COLUMNS = (("", "label"), ("conns", "connections"), ("turns/s", "turns_per_s"), ("deltas/s", "deltas_per_s"),
           ("frames/s", "frames_per_s"), ("connects/s", "connects_per_s"), ("p50 ms", "p50_ms"), ("p99 ms", "p99_ms"),
           ("late p99 ms", "late_p99_ms"), ("us/delta", "cpu_us_per_delta"), ("us/frame", "cpu_us_per_frame"),
           ("us/turn", "cpu_us_per_turn"), ("us/connect", "cpu_us_per_connect"), ("server cores", "server_cores"),
           ("load cores", "load_cores"), ("RSS MiB", "server_rss_mib"), ("RSS B/conn", "rss_bytes_per_connection"))

COMPARED = (("turns_per_s", "its turns/s"), ("connects_per_s", "its connects/s"), ("cpu_us_per_delta", "its CPU per delta"),
            ("cpu_us_per_connect", "its CPU per connection"))


def is_better(row, other):
    """Rates of a loaded server say most, where there are any; else what a delta costs; else memory."""
    for key, sign in (("connects_per_s", 1), ("cpu_us_per_turn", -1), ("cpu_us_per_delta", -1), ("server_rss_mib", -1)):
        if key in row and key in other:
            return sign * row[key] > sign * other[key]
    return key in row


def cell(value):
    if isinstance(value, float):
        return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
    return str(value)


def defects(row):
    if not (row.get("errors") or row.get("lost_connections") or row.get("wrong_turns") or "first_error" in row):
        return None
    kinds = (("errors", "errors"), ("lost_connections", "lost connections"), ("wrong_turns", "wrong turns"))
    counts = ", ".join(f"{row.get(key, 0)} {name}" for key, name in kinds)
    return f"{row.get('label', 'a measurement')}: {counts}; first: {row.get('first_error', '')}"


def main(path):
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    best = {}
    for row in rows:
        label = row.get("label", "")
        if defects(row) is None and (label not in best or is_better(row, best[label])):
            best[label] = row
    for row in rows:
        if defects(row):
            print(defects(row))
    if not best:
        return
    shown = [c for c in COLUMNS if any(c[1] in row for row in best.values())]
    table = [[title for title, _ in shown]] + [[cell(row.get(key, "")) for _, key in shown] for row in best.values()]
    widths = [max(len(line[i]) for line in table) for i in range(len(shown))]
    for line in table:
        print("  ".join([line[0].ljust(widths[0])] + [t.rjust(w) for t, w in zip(line[1:], widths[1:])]).rstrip())

    for label, peer in best.items():
        group, _, who = label.rpartition("/")
        ours = best.get(group + "/ours")
        if ours is None or who == "ours":
            continue
        parts = [f"{ours[key] / peer[key]:.2f} x {name}" for key, name in COMPARED if ours.get(key) and peer.get(key)]
        print(f"{group}: ours does {', '.join(parts)}")


if __name__ == "__main__":
    main(sys.argv[1])
