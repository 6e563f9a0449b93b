"""Which operation was carried out in which direction; stops the program where one was not.

The operations are those of the vendors' tables, so one that is new there is missing here at once.
"""

import official
import same_request
import tables

JUDGED, SAME, ANSWERED = "ours, judged by the official signers", "the same request by ours and", "on our emulator, by"
HUAWEI = [official.HUAWEI_PYTHON, official.HUAWEI_NODE]
DIRECTIONS = {
    "alibaba": [(JUDGED, "signature v1"), *((title, client) for title in (SAME, ANSWERED) for client in official.ALIBABA)],
    "huawei": [
        *((JUDGED, way) for way in ("SDK-HMAC-SHA256", "X-Auth-Token")),
        *((SAME, client) for client in (*HUAWEI, same_request.WITH_TOKEN)),
        *((ANSWERED, client) for client in HUAWEI),
    ],
}

# Operations that one direction leaves out on purpose, by its two names and the operation, and why: none.
LEFT_OUT = {}


# Fields of answers that the emulator does not have, and why.
FIELDS_LEFT_OUT = {
    ("ShowWorkFlow", "lts_group_id"): "the emulator writes no logs",
    ("ShowWorkFlow", "lts_stream_id"): "the emulator writes no logs",
}


def check_fields(fields):
    """Whether each client has read each field of the vendors' tables, and none beside them."""
    for (client, operation), seen in fields.items():
        meant = set(tables.declared_paths(tables.OPERATIONS[operation].answer))
        meant -= {name for of, name in FIELDS_LEFT_OUT if of == operation}
        if seen != meant:
            differ = f"none has {sorted(meant - seen)}; not declared are {sorted(seen - meant)}"
            raise SystemExit(f"interop: {client}: fields of the answers of {operation}: {differ}")
    print("\nEach field that the vendors declare was read from our emulator, by each client, and no other, but for")
    for (operation, name), reason in FIELDS_LEFT_OUT.items():
        print(f"  {operation} {name}: {reason}")


def check_coverage(judged, pairs, answered):
    """Prints how often each operation was carried out."""
    counted, missing, needless = {JUDGED: judged, SAME: pairs, ANSWERED: answered}, [], dict(LEFT_OUT)
    for cloud, directions in DIRECTIONS.items():
        operations = getattr(tables, cloud.upper())
        print(f"\nOperations of {cloud}: {len(operations)}, in {len(directions)} directions")
        for number, (title, who) in enumerate(directions, 1):
            print(f"    [{number}] {title} {who}")
        print("".join(f"   [{number}]" for number in range(1, len(directions) + 1)))
        for name in operations:
            counts = [counted[title].get(who, {}).get(name, 0) for title, who in directions]
            print("".join(f"{count:6}" for count in counts) + f"  {name}")
            for (title, who), count in zip(directions, counts, strict=True):
                if count == 0 and needless.pop((title, who, name), None) is None:
                    missing.append(f"{name}: {title} {who}")
    if missing or needless:
        raise SystemExit(f"interop: operations that were not carried out: {missing}; left out in vain: {sorted(needless)}")
