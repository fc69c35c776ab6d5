"""The part of Flux that the alert rules are written in, as a syntax tree.

Nodes are tuples: `("call", callee, {"every": node})`, `("pipe", node, call)`,
`("function", "r", body)`, `("if", condition, then, otherwise)`, `("member", node, name)`, …
"""

import re
from typing import Any

Node = tuple[Any, ...]

TOKEN = re.compile(
    r"""\s*(?://[^\n]*\n\s*)*(?:
    (?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z) | (?P<duration>\d+(?:ms|[smhd])) | (?P<number>\d+(?:\.\d+)?)
    | "(?P<string>[^"]*)" | (?P<word>[A-Za-z_]\w*)
    | (?P<sign>\|>|=>|==|!=|<=|>=|[-+*/<>=(){}\[\],:.]) )""",
    re.VERBOSE,
)
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
BINARY = (("or",), ("and",), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/"))


class FluxError(ValueError):
    """A text that this part of Flux does not have."""


def parse(text: str) -> list[tuple[str, Node]]:
    """The statements: name → expression; the last one, which is yielded, has the name ""."""
    parser = Parser(re.sub(r'^import "\w+"$', "", text, flags=re.MULTILINE))
    statements = []
    while parser.kind != "end":
        name = ""
        if parser.kind == "word" and parser.ahead() == ("sign", "="):
            name = parser.take()
            parser.take("=")
        statements.append((name, parser.expression()))
    return statements


class Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                raise FluxError(f"what is {text[position : position + 20]!r}?")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()
        self._tokens += [("end", "")] * 4
        self._at = 0

    @property
    def kind(self) -> str:
        """What the next token is."""
        return self._tokens[self._at][0]

    @property
    def next(self) -> str:
        """The next token."""
        return self._tokens[self._at][1]

    def ahead(self, by: int = 1) -> tuple[str, str]:
        """A token after the next one."""
        return self._tokens[self._at + by]

    def take(self, wanted: str | None = None) -> str:
        """Go on behind the next token."""
        kind, text = self._tokens[self._at]
        if wanted is not None and (text != wanted or kind == "string"):
            raise FluxError(f"{wanted!r} should be here, and {text!r} is")
        self._at += 1
        return text

    def expression(self) -> Node:
        """A whole expression, with everything that it is piped into."""
        found = self._choice()
        while self.next == "|>":
            self.take()
            found = ("pipe", found, self._postfix())
        return found

    def _choice(self) -> Node:
        if self.next != "if":
            return self._binary(0)
        self.take()
        condition = self._choice()
        self.take("then")
        then = self._choice()
        self.take("else")
        return ("if", condition, then, self._choice())

    def _binary(self, level: int) -> Node:
        if level == len(BINARY):
            return self._unary()
        found = self._binary(level + 1)
        while self.next in BINARY[level] and self.kind != "string":
            found = ("binary", self.take(), found, self._binary(level + 1))
        return found

    def _unary(self) -> Node:
        if self.kind == "word" and self.next in ("exists", "not"):
            return (self.take(), self._unary())
        if self.next == "-" and self.kind == "sign":
            self.take()
            return ("binary", "-", ("value", 0), self._unary())
        return self._postfix()

    def _postfix(self) -> Node:
        found = self._primary()
        while self.kind == "sign" and self.next in ".(":
            if self.take() == ".":
                found = ("member", found, self.take())
            else:
                found = ("call", found, self._named(")"))
        return found

    def _named(self, end: str) -> dict[str, Node]:
        found = {}
        while self.next != end:
            name = self.take()
            self.take(":")
            found[name] = self.expression()
            if self.next == ",":
                self.take()
        self.take(end)
        return found

    def _primary(self) -> Node:
        kind, text = self.kind, self.take()
        if kind == "sign":
            return self._bracketed(text)
        if kind == "duration":
            number, unit = re.fullmatch(r"(\d+)(\w+)", text).groups()  # type: ignore[union-attr]
            return ("value", round(int(number) * SECONDS[unit] * 1e9))
        if kind == "number":
            return ("value", float(text) if "." in text else int(text))
        if kind == "word" and text in ("true", "false"):
            return ("value", text == "true")
        return ("name", text) if kind == "word" else ("time" if kind == "time" else "value", text)

    def _bracketed(self, sign: str) -> Node:
        if sign == "(" and self.ahead() == ("sign", ")") and self.ahead(2) == ("sign", "=>"):
            parameter = self.take()
            self.take(")")
            self.take("=>")
            return ("function", parameter, self.expression())
        if sign == "(":
            found = self.expression()
            self.take(")")
            return found
        if sign == "[":
            items = []
            while self.next != "]" or self.kind == "string":
                items.append(self.expression())
                if self.next == ",":
                    self.take()
            self.take("]")
            return ("array", items)
        if sign == "{":
            base = None
            if self.ahead() == ("word", "with"):
                base = ("name", self.take())
                self.take("with")
            return ("record", base, self._named("}"))
        raise FluxError(f"what is {sign!r}?")
