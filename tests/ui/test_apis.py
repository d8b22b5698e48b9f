"""Pages of APIs, and their operations in the builder."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.descriptions import PET, as_file, petstore
from tests.ui.conftest import Browser


def add(
    browser: Browser, description: dict[str, Any] | None = None, path: str = "/apis", **fields: str
) -> TestResponse:
    """Uploads a file."""
    file = (BytesIO(as_file(description or petstore()).encode()), "pets.json")
    form = {"csrf_token": browser.token("/apis"), "file": file, **fields}
    return browser.client.post(path, data=form, headers={"Accept": "text/html"})


@pytest.fixture
def page(ada: Browser) -> str:
    """The page of an API that was added."""
    answer = add(ada)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_an_uploaded_file_is_listed_by_its_operations(ada: Browser, page: str) -> None:
    shown = ada.get(page).text
    assert "Add a pet" in shown
    assert "/pets/{petId}/photo" in shown
    assert "pets.json" in ada.get("/apis").text


def test_a_file_that_is_none_is_refused_beside_its_field(ada: Browser) -> None:
    answer = add(ada, {"swagger": "9"})
    assert answer.status_code == 400
    assert 'id="file-note" class="wrong"' in answer.text


def test_operations_are_found_by_words(ada: Browser, page: str) -> None:
    shown = ada.get(f"{page}?q=photo get").text
    assert 'value="getPhoto"' in shown
    assert 'value="putPhoto"' not in shown


def test_choosing_among_those_shown_leaves_the_others(ada: Browser, page: str) -> None:
    ada.send(f"{page}/actions", page, q="photo", action=["getPhoto"])
    shown = ada.get(page).text
    checked = re.findall(r'name="action"\s+value="(\w+)" checked', shown)
    assert checked == ["listPets", "addPet", "getPhoto"]


def test_a_new_file_is_shown_before_it_is_taken(ada: Browser, page: str) -> None:
    later = petstore(info={"title": "Petstore", "version": "2"})
    del later["paths"]["/pets"]["get"]
    comparison = add(ada, later, f"{page}/versions").headers["Location"]
    assert "0 added, 1 removed" in " ".join(ada.get(comparison).text.split())
    ada.send(f"{comparison}/take", comparison)
    assert 'value="listPets"' not in ada.get(page).text


def test_an_api_is_deleted(ada: Browser, page: str) -> None:
    assert ada.send(f"{page}/delete", page).status_code == 303
    assert ada.get(page).status_code == 404


def test_strangers_find_nothing(visitor: Browser, signed_up: Any, page: str) -> None:
    assert signed_up("bob").get(page).status_code == 404


class TestBuilder:
    @pytest.fixture
    def builder(self, ada: Browser, page: str) -> str:
        answer = ada.send("/workflows/build", "/workflows/new")
        return str(answer.headers["Location"]).partition("?")[0]

    def added(self, ada: Browser, builder: str, choice: str = "API_CALL petstore addPet") -> str:
        """The panel of a step that was added from the palette."""
        revision = _revision(ada.get(builder).text)
        added = ada.send(
            f"{builder}/edit", builder, op="add", into="/actions", position="0", type=choice, revision=revision
        )
        assert added.status_code == 303, added.text
        return ada.get(added.headers["Location"]).text

    def save(self, ada: Browser, builder: str, **fields: str) -> TestResponse:
        revision = _revision(ada.get(builder).text)
        named = {name.replace("__", "."): value for name, value in fields.items()}
        return ada.send(
            f"{builder}/step",
            builder,
            at="/actions/0",
            step="/actions/0",
            name="",
            id="add_pet",
            revision=revision,
            **named,
        )

    def test_chosen_operations_stand_in_the_palette(self, ada: Browser, builder: str) -> None:
        shown = ada.get(builder).text
        assert '<section aria-label="Petstore">' in shown
        assert 'value="API_CALL petstore addPet"' in shown

    def test_of_many_operations_the_first_are_shown_and_a_search_finds_the_others(
        self, ada: Browser, builder: str
    ) -> None:
        many = {f"/things/{n}": {"get": {"operationId": f"thing{n}", "responses": {}}} for n in range(40)}
        page = str(add(ada, petstore(paths=many), name="many").headers["Location"])
        ada.send(f"{page}/actions", page, all="yes")
        assert shown_of_many(ada.get(builder).text) == [f"thing{n}" for n in range(30)]
        assert "10 more: search for them." in ada.get(builder).text
        assert shown_of_many(ada.get("/build/operations?q=things%20get%2038").text) == ["thing38"]
        assert "API_CALL petstore" not in ada.get("/build/operations").text, "small APIs are on the page"
        without_script = ada.get(f"{builder}?into=/actions&position=0").text
        assert len(shown_of_many(without_script)) == 40

    def test_the_form_has_the_fields_of_the_operation(self, ada: Browser, builder: str) -> None:
        panel = self.added(ada, builder)
        assert "POST /pets" in panel
        assert "An API key (header X-Pet-Key) is asked for." in panel
        assert 'name="config.input.body.name"' in panel
        assert re.search(r'<select[^>]*name="config.input.body.kind"', panel)
        assert 'value="open:config.input.body.owner"' in panel
        assert 'name="config.input.body.owner.city"' not in panel
        assert 'data-note="config/input/body"></p>' in panel, "nothing is wrong with a field before it was left"
        later = ada.get(f"{builder}?step=/actions/0").text.replace("\n", "")
        assert re.search(r'data-note="config/input/body">[^<]*is required', later)

    @pytest.mark.parametrize("shape", [{"type": "string"}, {"type": "array", "items": PET}])
    def test_what_is_wrong_with_a_choice_is_told_once(self, ada: Browser, builder: str, shape: dict[str, Any]) -> None:
        choice = {"name": "since", "in": "query", "required": True, "schema": {"oneOf": [shape, {"type": "integer"}]}}
        description = petstore()
        description["paths"]["/pets"]["get"]["parameters"].append(choice)
        add(ada, description, name="choosy")
        panel = self.added(ada, builder, "API_CALL choosy listPets")
        assert 'id="f-config-input-query-since-variant"' in panel
        assert panel.count('id="f-config-input-query-since-note"') == 1

    @pytest.mark.parametrize("place", ["body", "body.owner", "body.food"])
    def test_an_expression_may_stand_for_the_whole_of_an_object(self, ada: Browser, builder: str, place: str) -> None:
        name, id_ = f"config.input.{place}", f"f-config-input-{place.replace('.', '-')}"
        assert f'value="write:{name}"' in self.added(ada, builder)
        chosen = {"config__api": "petstore", "config__operation": "addPet", "arrange": f"write:{name}"}
        self.save(ada, builder, **chosen, config__input__drawn="yes", config__input__body__drawn="yes")
        panel = ada.get(f"{builder}?step=/actions/0&arrange=write:{name}").text
        assert re.search(rf'<textarea id="{id_}"\s+name="{name}"', panel)

    def test_an_expression_is_offered_for_maps_of_steps_but_not_for_those_of_triggers(
        self, ada: Browser, builder: str
    ) -> None:
        assert 'value="write:config.headers"' in self.added(ada, builder, "HTTP_REQUEST")
        assert "write:" not in ada.get(f"{builder}?step=trigger").text

    def test_what_is_filled_in_is_saved_typed(self, ada: Browser, builder: str) -> None:
        self.added(ada, builder)
        drawn = {"config__input__drawn": "yes", "config__input__body__drawn": "yes"}
        self.save(
            ada,
            builder,
            **drawn,
            config__input__body__name="Rex",
            config__input__body__age="3",
            config__api="petstore",
            config__operation="addPet",
            config__input__body__food__variant="1",
            config__input__body__food__drawn="",
        )
        panel = ada.get(f"{builder}?step=/actions/0").text
        assert 'name="config.input.body.food.from"' in panel
        text = ada.get(f"{builder}/text").text
        assert "age: 3" in text
        assert "type: fresh" in text

    def test_the_items_of_all_pages_can_be_picked_from_before_the_first_run(self, ada: Browser, builder: str) -> None:
        self.added(ada, builder, "API_CALL petstore listPets")
        paged = {"config__paging__variant": "3", "config__paging__drawn": "3"}
        self.save(ada, builder, config__api="petstore", config__operation="listPets", **paged)
        revision = _revision(ada.get(builder).text)
        after = {"op": "add", "into": "/actions", "position": "1", "type": "TRANSFORM", "revision": revision}
        panel = ada.get(ada.send(f"{builder}/edit", builder, **after).headers["Location"]).text
        assert 'data-pick="steps.add_pet[&#34;items&#34;][0].name"' in panel

    def test_a_list_that_is_plainly_paged_says_how(self, ada: Browser, builder: str) -> None:
        description = petstore()
        number = {"name": "page", "in": "query", "schema": {"type": "integer"}}
        description["paths"]["/pets"]["get"]["parameters"].append(number)
        add(ada, description, name="paged")
        panel = self.added(ada, builder, "API_CALL paged listPets")
        assert "The description shows how it is paged: by page numbers (&#39;page&#39;)." in " ".join(panel.split())
        assert 'name="config.allPages"' in panel
        assert 'name="config.paging.variant"' in panel

    def test_how_a_list_is_paged_is_chosen_where_the_description_is_silent(self, ada: Browser, builder: str) -> None:
        assert 'name="config.allPages"' not in self.added(ada, builder, "API_CALL petstore listPets")
        chosen = {"config__api": "petstore", "config__operation": "listPets", "config__paging__variant": "2"}
        self.save(ada, builder, **chosen, config__paging__drawn="")
        panel = ada.get(f"{builder}?step=/actions/0").text
        assert re.search(r'name="config.paging.at"', panel)
        assert "by: cursor" in ada.get(f"{builder}/text").text

    def test_an_answer_can_be_picked_from_before_the_first_run(self, ada: Browser, builder: str) -> None:
        self.added(ada, builder, "API_CALL petstore listPets")
        revision = _revision(ada.get(builder).text)
        after = {"op": "add", "into": "/actions", "position": "1", "type": "TRANSFORM", "revision": revision}
        panel = ada.get(ada.send(f"{builder}/edit", builder, **after).headers["Location"]).text
        assert 'data-pick="steps.list_pets.body[0].name"' in panel


def shown_of_many(page: str) -> list[str]:
    return re.findall(r'value="API_CALL many (\w+)"', page)


def _revision(page: str) -> str:
    found = re.search(r'data-revision="(\d+)"', page)
    assert found
    return found[1]
