"""Sets the vendors' own clients and signers against this crate. `.ci/interop` starts it."""

import argparse
import json
import logging
import os
import subprocess

import coverage
import emulator_check
import ours
import same_request


def programs():
    """Builds the emulator program and the driver of our client; gives where they are."""
    command = ["cargo", "build", "--locked", "--example", "emulator", "--test", "interop_driver"]
    command.append("--message-format=json-render-diagnostics")
    built = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    messages = map(json.loads, built.splitlines())
    found = {m["target"]["name"]: m["executable"] for m in messages if m.get("executable")}
    return found["emulator"], found["interop_driver"]


def table(title, counts):
    print(f"\n{title}")
    for name, count in counts.items():
        print(f"{count:7}  {name}")
    return sum(counts.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--requests", type=int, default=3000, help="requests of ours to the judge")
    parser.add_argument("--only", type=int, help="of these, this one alone, and nothing else")
    parser.add_argument("--rounds", type=int, default=30, help="random requests of each kind in the other parts")
    arguments = parser.parse_args()

    # The official clients believe these, and log what is refused on purpose.
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    logging.disable(logging.CRITICAL)

    if arguments.requests < len(ours.FIRST):
        parser.error(f"--requests: {len(ours.FIRST)} at least, or not every operation is sent")
    emulator, driver = programs()
    if arguments.only is not None:
        print(ours.check_random(driver, arguments.seed, [arguments.only]))
        return

    checked, answered = ours.check_random(driver, arguments.seed, range(arguments.requests))
    counts = {way: sum(of_way.values()) for way, of_way in checked.items()}
    total = table(f"Our client, judged by the official signers (seed {arguments.seed}): checked requests", counts)
    print(f"{total:7}  in all, of {answered} calls, each with the answer that was meant")
    if answered != arguments.requests:
        raise SystemExit(f"interop: {arguments.requests} calls were made, {answered} have an outcome")

    counts, answers, fields = emulator_check.check_emulator(emulator, arguments.seed, arguments.rounds)
    total = table("Official clients against the emulator: answers and refusals, as meant field by field", counts)
    print(f"{total:7}  in all")

    pairs, exceptions = same_request.check_same(driver, arguments.seed, arguments.rounds // 5)
    counts = {client: sum(of_client.values()) for client, of_client in pairs.items()}
    table("The same request by the official client and by ours: pairs compared", counts)
    print("\nThey differ in nothing but")
    for name, reason in exceptions.items():
        print(f"  {name:40} {reason}")
    coverage.check_fields(fields)
    coverage.check_coverage(checked, pairs, answers)
    print("\ninterop: all as meant")


if __name__ == "__main__":
    main()
