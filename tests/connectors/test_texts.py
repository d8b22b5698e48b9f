"""Templates, QR codes and comparisons of texts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.file_values import StoredFile, read_file
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import run

Do = Callable[..., Any]


@pytest.fixture
def files() -> KeptFiles:
    return KeptFiles()


@pytest.fixture
def do(context: StepContext, files: KeptFiles) -> Do:
    step = replace(context, files=files, deadline=time.monotonic() + 60)
    return lambda type_, **config: run(type_, config, step)


ROWS = [{"name": "Pen <blue>", "price": 2}, {"name": "Cup", "price": 5.5}]


def test_a_template_repeats_and_chooses(do: Do) -> None:
    template = """Dear [[ who | upper ]],
[% for row in rows %]
- [[ row.name ]]: [[ row.price | format_number ]][# a note #]

[% endfor %]
[% if rows | sum('price') > 7 %]
That is a lot: [[ rows | sum('price') ]].
[% endif %]
"""
    made = do("TEMPLATE", template=template, data={"who": "Ada", "rows": ROWS})["text"]
    assert made == "Dear ADA,\n- Pen <blue>: 2.00\n- Cup: 5.50\nThat is a lot: 7.5.\n"


def test_a_dot_leads_to_a_field_whatever_it_is_called(do: Do) -> None:
    data = {"row": {"items": 1, "keys": {"get": 2}}, "rows": ROWS}
    template = (
        "[[ row.items ]] [[ row.keys.get ]] [[ row['items'] ]]"
        "[% for name, value in row | items if name == 'items' %] [[ name ]]=[[ value ]][% endfor %]"
        "[% for each in rows %] [[ loop.index ]]/[[ loop.length ]][[ loop.cycle('a', 'b') ]][% endfor %]"
        "[% set n = namespace(all=0) %][% for r in rows %][% set n.all = n.all + r.price %][% endfor %] [[ n.all ]]"
        "[% macro bold(x) %]*[[ x ]]*[% endmacro %] [[ bold(rows[0].price) ]] [[ range(3) | list | join('-') ]]"
    )
    assert do("TEMPLATE", template=template, data=data)["text"] == "1 2 1 items=1 1/2a 2/2b 7.5 *2* 0-1-2"


def test_html_is_escaped(do: Do) -> None:
    template = "[% for row in rows %]<li>[[ row.name ]]</li>[% endfor %]"
    assert do("TEMPLATE", template=template, data={"rows": ROWS}, format="html")["text"] == (
        "<li>Pen &lt;blue&gt;</li><li>Cup</li>"
    )


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("[[ nobody ]]", "'nobody' is undefined"),
        ("a\n[% for x in %]", "line 2: "),
        ("[[ data.__class__.__mro__ ]]", "the template cannot be done"),
        ("[[ ''.__class__.__base__.__subclasses__() ]]", "not allowed in a template"),
        ("[[ rows.append(1) ]]", "not allowed in a template"),
        ("[[ 'a'.upper() ]]", "not allowed in a template"),
        ("[[ '{0.__class__}'.format(1) ]]", "not allowed in a template"),
        ("[[ ('a' | attr('upper'))() ]]", "attr"),
        ("[[ rows.__init__ ]]", "not allowed in a template"),
        ("[[ lipsum.__globals__ ]]", "'lipsum' is undefined"),
        ("[[ self.__init__.__globals__ ]]", "the template cannot be done"),
        ("[% for r in rows %][[ loop.__init__.__globals__ ]][% endfor %]", "the template cannot be done"),
        ("[% for r in rows %][[ loop._iterable ]][% endfor %]", "the template cannot be done"),
        ("[[ rows | nope ]]", "nope"),
        ("[[ rows | sum('name') ]]", "sum needs numbers, not text"),
        ("[% include '/etc/passwd' %]", "the template cannot be done"),
        ("[% for a in range(99999) %][% for b in range(99999) %]xxxxxxxxxx[% endfor %][% endfor %]", "characters"),
        ("[[ 'x' * 9999999999 ]]", "it needs more memory"),
        ("[% for a in range(99999999) %][% endfor %]", "the template cannot be done"),
    ],
)
def test_templates_that_cannot_be_or_are_made_to_harm(do: Do, template: str, told: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        do("TEMPLATE", template=template, data={"rows": ROWS, "data": {}})
    assert told in str(caught.value)


def test_a_template_without_end_ends_with_the_step(context: StepContext) -> None:
    nested = "[% for a in range(99999) %][% for b in range(99999) %][% endfor %][% endfor %]"
    with pytest.raises(ConnectorError, match=r"did not end within the step's time limit|too long"):
        run("TEMPLATE", {"template": nested}, replace(context, deadline=time.monotonic() + 3))


def test_data_goes_in_by_name_never_into_the_template() -> None:
    problems = load_catalog().get("TEMPLATE").problems({"template": "{{ trigger.body.text }}"}, "/config")
    assert [(problem.pointer, "under data" in problem.message) for problem in problems] == [("/config/template", True)]


def test_a_qr_code_is_a_picture(do: Do, files: KeptFiles) -> None:
    for format_, start in (("png", b"\x89PNG"), ("svg", b"<?xml")):
        file = read_file(do("QR_CODE", text="https://example.test/7", format=format_)["file"])
        assert isinstance(file, StoredFile)
        assert files.contents[file.id].startswith(start)
    with pytest.raises(ConnectorError, match="text: "):
        do("QR_CODE", text="x" * 3_000)
    with pytest.raises(ConnectorError, match="text: is too long for a QR code"):
        do("QR_CODE", text="x" * 2_500, correction="H")


def test_texts_and_values_are_compared_line_by_line(do: Do) -> None:
    output = do("COMPARE_TEXTS", before="a\nb\nc", after="a\nB\nc\nd", context=1)
    assert output == {"same": False, "diff": "@@ -1,3 +1,4 @@\n a\n-b\n+B\n c\n+d", "added": 2, "removed": 1}
    assert do("COMPARE_TEXTS", before={"a": 1}, after={"a": 1})["same"]
    assert (
        do("COMPARE_TEXTS", before={"a": 1}, after={"a": 2})["diff"] == '@@ -1,3 +1,3 @@\n {\n-  "a": 1\n+  "a": 2\n }'
    )
