"""Weaves all mutants of a file into it, each behind a switch, so that one build serves them all.

`cargo mutants` says what the mutants are: a place, and the text that stands there instead. Here
each becomes a branch, taken where `crate::woven::is(NUMBER)` says so. What cannot be woven (in a
`const fn`, say) shows when the compiler refuses it, and is left to `cargo mutants` itself.
"""

import re

import tree_sitter
import tree_sitter_rust

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))

# The module that is added to the crate: which mutant is on, and which were come by.
SWITCH = """
use std::{
    io::Write as _,
    sync::{LazyLock, atomic::{AtomicBool, Ordering}},
};

static CHOSEN: LazyLock<usize> = LazyLock::new(|| number("MUTANT").unwrap_or(0));
static RECORD: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("MUTANTS_RECORD").ok());
static SEEN: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];

fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

pub(crate) fn is(mutant: usize) -> bool {
    if let Some(record) = &*RECORD {
        if !SEEN[mutant].swap(true, Ordering::Relaxed) {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(record);
            let _ = file.and_then(|mut file| file.write_all(format!("{mutant}\\n").as_bytes()));
        }
    }
    *CHOSEN == mutant
}
"""


class Unwoven(Exception):
    """This one cannot be a branch."""


def offsets(source):
    """Where each line begins, in bytes, with the lines."""
    starts, at = [], 0
    lines = source.split(b"\n")
    for line in lines:
        starts.append(at)
        at += len(line) + 1
    return lines, starts


class Edit:
    """What stands in `start..end` instead; `emit` gets what renders the parts."""

    def __init__(self, start, end, rank, emit):
        self.start, self.end, self.rank, self.emit = start, end, rank, emit


def marked(number, text):
    """A text that is there for one mutant only."""
    return b"/*<%d*/%s/*>%d*/" % (number, text, number)


def on(number):
    return b"crate::woven::is(%d)" % number


class File:
    def __init__(self, source):
        self.source = source
        self.lines, self.starts = offsets(source)
        self.root = PARSER.parse(source).root_node

    def offset(self, place):
        line = self.lines[place["line"] - 1].decode()
        return self.starts[place["line"] - 1] + len(line[: place["column"] - 1].encode())

    def span(self, span):
        return self.offset(span["start"]), self.offset(span["end"])

    def text(self, start, end):
        return self.source[start:end]

    def above(self, start, end, kinds):
        """The nearest node of one of these kinds that holds the span."""
        node = self.root.descendant_for_byte_range(start, end)
        while node is not None and node.type not in kinds:
            node = node.parent
        if node is None:
            raise Unwoven("nothing of " + str(kinds))
        return node

    def edits(self, group):
        """The edit for the mutants of one place; `group` is [(number, mutant)]."""
        genre = group[0][1]["genre"]
        start, end = self.span(group[0][1]["span"])
        return getattr(self, genre)(group, start, end)

    def FnValue(self, group, start, end):
        def emit(render):
            first = b"".join(
                marked(number, b"if %s { return %s; }" % (on(number), mutant["replacement"].encode()))
                for number, mutant in group
            )
            return first + render(start, end)

        return Edit(start, end, 0, emit)

    def MatchArmGuard(self, group, start, end):
        def emit(render):
            head = b"".join(
                b"if %s { %s } else " % (on(number), mutant["replacement"].encode())
                for number, mutant in group
            )
            return b"(" + head + b"{" + render(start, end) + b"})"

        return Edit(start, end, 1, emit)

    def MatchArm(self, group, start, end):
        ((number, _),) = group
        node = self.above(start, end, ["match_arm"])
        pattern = node.child_by_field_name("pattern")
        guard = pattern.child_by_field_name("condition")
        if guard is None:
            at, off = pattern.end_byte, b" if !" + on(number)
            return Edit(at, at, 0, lambda render: off)
        head = b"!" + on(number) + b" && ("
        return Edit(
            guard.start_byte,
            guard.end_byte,
            0,
            lambda render: head + render(guard.start_byte, guard.end_byte) + b")",
        )

    def UnaryOperator(self, group, start, end):
        ((number, _),) = group
        node = self.above(start, end, ["unary_expression"])
        inner = node.children[-1]
        if self.text(start, end) == b"-":
            value = b"(match (%s) { v => if " + on(number) + b" { v } else { -v } })"
            return Edit(node.start_byte, node.end_byte, 2, lambda render: value % render(inner.start_byte, inner.end_byte))
        head = b"(" + on(number) + b" ^ ("
        return Edit(node.start_byte, node.end_byte, 2, lambda render: head + render(node.start_byte, node.end_byte) + b"))")

    def StructField(self, group, start, end):
        ((number, _),) = group
        node = self.above(start, end, ["struct_expression"])
        without = self.text(node.start_byte, start) + self.text(end, node.end_byte)
        head = b"(if %s { %s } else { " % (on(number), without)
        return Edit(node.start_byte, node.end_byte, 2, lambda render: head + render(node.start_byte, node.end_byte) + b" })")

    def BinaryOperator(self, group, start, end):
        node = self.above(start, end, ["binary_expression", "compound_assignment_expr", "let_chain"])
        if node.type == "let_chain":
            # No pattern is allowed beside `||`.
            raise Unwoven("unviable")
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = self.text(start, end)
        a = lambda render: render(left.start_byte, left.end_byte)
        b = lambda render: render(right.start_byte, right.end_byte)
        edit = lambda emit: Edit(node.start_byte, node.end_byte, 2, emit)
        first = on(group[0][0])
        if node.type == "compound_assignment_expr":
            place = self.text(left.start_byte, left.end_byte)

            def emit(render):
                other = b"".join(
                    marked(number, b"if %s { %s %s r } else " % (on(number), place, mutant["replacement"].encode()))
                    for number, mutant in group
                )
                # The right side may be what the left side is compared with: it is a value by now.
                return b"match (%s) { r => { %s{ %s %s r } } }" % (b(render), other, place, operator)

            return edit(emit)
        if operator == b"&&":
            return edit(lambda render: b"(if (%s) ^ %s { %s } else { %s })" % (a(render), first, b(render), first))
        if operator == b"||":
            return edit(lambda render: b"(if (%s) == %s { %s } else { !%s })" % (a(render), first, b(render), first))
        if operator in (b"==", b"!="):
            whole = lambda render: b"%s %s %s" % (a(render), operator, b(render))
            return edit(lambda render: b"(%s ^ (%s))" % (first, whole(render)))

        def emit(render):
            borrow = b"&" if operator in (b"<", b"<=", b">", b">=") else b""
            other = b"".join(
                marked(number, b"if %s { l %s r } else " % (on(number), mutant["replacement"].encode()))
                for number, mutant in group
            )
            return b"(match (%s(%s), %s(%s)) { (l, r) => %s{ l %s r } })" % (
                borrow, a(render), borrow, b(render), other, operator,
            )

        return edit(emit)


def weave(source, mutants):
    """The source with all of `mutants` (number: mutant) in it; and the verdicts on the others."""
    file = File(source)
    groups, unwoven = {}, {}
    for number, mutant in mutants.items():
        span = mutant["span"]
        key = (mutant["genre"] , *file.span(span))
        groups.setdefault(key, []).append((number, mutant))
    edits = []
    for group in groups.values():
        try:
            edit = file.edits(group)
        except Unwoven as why:
            word = "unviable" if str(why) == "unviable" else "plain"
            unwoven.update((number, word) for number, _ in group)
            continue
        edit.numbers = [number for number, _ in group]
        edits.append(edit)
    edits.sort(key=lambda edit: (edit.start, -edit.end, edit.rank))

    def render(lo, hi, after):
        """The text of `lo..hi`, with the edits inside that stand behind `after` in the list."""
        out, at = [], lo
        for index in range(after, len(edits)):
            edit = edits[index]
            if edit.start >= hi and not (edit.start == edit.end == hi):
                break
            if edit.start < at or edit.end > hi:
                continue
            out.append(source[at : edit.start])
            inner = edit.emit(lambda a, b, index=index: render(a, b, index + 1))
            tag = b",".join(b"%d" % number for number in edit.numbers)
            out.append(b"/*[%s*/%s/*]%s*/" % (tag, inner, tag))
            at = edit.end
        out.append(source[at:hi])
        return b"".join(out)

    return render(0, len(source), 0), unwoven


MARK = re.compile(rb"/\*([<>\[\]])([0-9,]+)\*/")


def culprits(woven, start, end):
    """Which mutants a compiler's complaint about `start..end` of the woven text is about."""
    best, stack = None, []
    for mark in MARK.finditer(woven):
        kind, numbers = mark.group(1), mark.group(2)
        if kind in b"<[":
            stack.append((kind, numbers, mark.start()))
        else:
            opened, same, at = stack.pop()
            assert same == numbers
            if at <= start and end <= mark.end():
                size = mark.end() - at
                if best is None or size < best[0]:
                    best = (size, opened, [int(number) for number in numbers.split(b",")])
    return (best[1] == b"<", best[2]) if best else (False, [])
