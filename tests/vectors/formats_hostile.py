"""Hostile JSON, text and numbers, and the lawful ones beside them."""

from collections.abc import Iterator

from formats_cases import Case, case


def byte_cases() -> Iterator[Case]:
    yield from _json()
    yield from _text()
    yield from _numbers()


def _json() -> Iterator[Case]:
    def one(name: str, raw: bytes | str, code: str | None, size: int = 16_384) -> Case:
        return case("json", name, raw, code, size_max=size, depth_max=4)

    bad = "json.not_canonical"
    yield one("object", '{"a":[true,false,null,-1,"x"]}', None)
    yield one("full-width brackets", '{"name":"有限公司（北京）"}', None)
    yield one("largest integer", "9007199254740991", None)
    yield one("smallest integer", "-9007199254740991", None)
    yield one("two to the 53", "9007199254740992", bad)
    yield one("minus two to the 53", "-9007199254740992", bad)
    yield one("two to the 53 and one", "9007199254740993", bad)
    yield one("five thousand digits", "1" * 5000, bad)
    yield one("exponent", "1e3", bad)
    yield one("huge exponent", "1e999999999", bad)
    yield one("point and zero", "1.0", bad)
    yield one("fraction", "1.5", bad)
    yield one("minus zero", "-0", bad)
    for number in ("01", "+1", "1.", ".5", "-", "0x10", "NaN", "Infinity", "-Infinity", "１"):
        yield one(f"not a number: {number}", number, "json.syntax")
    yield one("member twice", '{"a":1,"a":1}', bad)
    yield one("member twice, once escaped", '{"a":1,"\\u0061":2}', bad)
    yield one("members out of order", '{"b":1,"a":2}', bad)
    yield one("U+20000 before U+FF21", '{"\U00020000":1,"\uff21":2}', None)
    yield one("U+FF21 before U+20000", '{"\uff21":2,"\U00020000":1}', bad)
    yield one("member __proto__", '{"__proto__":1}', None)
    yield one("needless escape", '"\\u0041"', bad)
    yield one("escaped solidus", '"\\/"', bad)
    yield one("control character, short escape", '"\\t"', None)
    yield one("control character, long escape", '"\\u0009"', bad)
    yield one("control character, lower case", '"\\u001f"', None)
    yield one("control character, upper case", '"\\u001F"', bad)
    yield one("control character, raw", '"\t"', "json.syntax")
    yield one("U+007F and U+2028 raw", '"\x7f\u2028"', None)
    yield one("lone surrogate, escaped", '"\\ud800"', bad)
    yield one("lone low surrogate, escaped", '"\\udc00"', bad)
    yield one("lone surrogate as member", '{"\\ud800":1}', bad)
    yield one("surrogate pair, escaped", '"\\ud840\\udc00"', bad)
    yield one("lone surrogate, raw", b'"\xed\xa0\x80"', "json.utf8")
    yield one("overlong NUL", b'"\xc0\x80"', "json.utf8")
    yield one("cut UTF-8", b'"\xe6\xbb', "json.utf8")
    yield one("beyond U+10FFFF", b'"\xf4\x90\x80\x80"', "json.utf8")
    yield one("byte order mark", b"\xef\xbb\xbf{}", "json.utf8")
    yield one("UTF-16", "{}".encode("utf-16-le"), "json.syntax")
    yield one("blank before", " {}", bad)
    yield one("line feed after", "{}\n", bad)
    yield one("blank inside", '{"a": 1}', bad)
    for name, raw in (
        ("nothing", ""),
        ("blank only", " "),
        ("two values", "{}{}"),
        ("NUL after", "{}\0"),
        ("comma at the end", "[1,]"),
        ("comment", "{}/**/"),
        ("single quotes", "{'a':1}"),
        ("name without quotes", "{a:1}"),
        ("string without end", '"a'),
        ("unknown escape", '"\\x41"'),
        ("cut escape", '"\\u00"'),
        ("capital True", "True"),
        ("brackets in a string without end", '"' + "[" * 2000),
        ("two thousand quotes", '"' * 2001),
        ("escaped quotes without end", '"' + '\\"' * 2000),
        ("closed before opened", "]" * 2000 + "[" * 2000),
    ):
        yield one(name, raw, "json.syntax")
    yield one("brackets in a string", '"' + "[{" * 100 + '"', None)
    yield one("as deep as allowed", "[[[[1]]]]", None)
    yield one("one deeper", "[[[[[1]]]]]", "json.depth")
    yield one("depth bomb", "[" * 10_000 + "]" * 1000, "json.depth")
    yield one("depth bomb of members", '{"a":' * 2000, "json.depth")
    yield one("as long as allowed", '"' + "x" * 62 + '"', None, 64)
    yield one("one longer", '"' + "x" * 63 + '"', "json.size", 64)


def _text() -> Iterator[Case]:
    def one(name: str, text: str, code: str | None, high: int = 40) -> Case:
        return case("text", name, text, code, low=1, high=high)

    yield one("full-width brackets", "有限公司（北京）", None)
    yield one("ideographic space and middle dot", "阿不都·\u3000热合曼", None)
    yield one("rare ideograph of extension B", "\U00020000", None)
    yield one("rare ideograph of extension G", "\U00030000", None)
    yield one("rare ideograph of extension H", "\U00031350", None)
    yield one("rare ideograph of extension I", "\U0002ebf0", None)
    yield one("composed", "é", None)
    yield one("decomposed", "e\u0301", "text.not_nfc")
    yield one("compatibility ideograph", "\uf900", "text.not_nfc")
    yield one("full-width letters stay", "ＡＢＣ１２３", None)
    for point in (0x00, 0x0A, 0x1F, 0x7F, 0x85, 0x9F):
        yield one(f"control U+{point:04X}", f"a{chr(point)}b", "text.code_point")
    for point in (0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x202A, 0x202E, 0x2060, 0x2066, 0x206F):
        yield one(f"invisible U+{point:04X}", f"a{chr(point)}b", "text.code_point")
    yield one("byte order mark inside", "a\ufeffb", "text.code_point")
    for point in (0xE000, 0xF8FF, 0xF0000, 0x10FFFD):
        yield one(f"private use U+{point:04X}", chr(point), "text.code_point")
    for point in (0x0378, 0xFFFE, 0x1FFFF, 0xE0000):
        yield one(f"unassigned U+{point:04X}", chr(point), "text.code_point")
    yield one("assigned after the fixed version U+1FAE8", "\U0001fae8", "text.code_point")
    yield one("empty", "", "text.length")
    yield one("as long as allowed, in code points", "\U00020000" * 3, None, 3)
    yield one("one longer", "\U00020000" * 4, "text.length", 3)


def _numbers() -> Iterator[Case]:
    yield case("money", "as written", "71000000.00", None)
    yield case("money", "nothing", "0.00", None)
    yield case("money", "thirteen digits", "9999999999999.99", None)
    for text in (
        *("1.00\n", "1.00 ", " 1.00", "\t1.00", "１２３.00", "1.0", "1", "1.000", ".50", "01.00"),
        *(
            "-1.00",
            "+1.00",
            "1,000.00",
            "1e2.00",
            "1．00",
            "٣.00",
            "10000000000000.00",
            "",
            "1.00\0",
        ),
        *("0x1.00", "NaN", "1_0.00", "\u200b1.00"),
    ):
        yield case("money", f"refused: {text!a}", text, "money.form")
    yield case("rate", "two digits", "12.50", None, digits=2)
    yield case("rate", "the most", "999.9", None, digits=1)
    for text in ("12.5", "12.500", "1000.00", "-1.00", "012.50", "12.50%", "12.50\n", "１2.50"):
        yield case("rate", f"refused: {text!a}", text, "rate.form", digits=2)
