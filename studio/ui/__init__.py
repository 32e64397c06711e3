"""The browser app: header, tabs and the jobs drawer. It only looks; the work is done by jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

import gradio as gr

from studio.errors import StudioError
from studio.ui import access, endpoints, header, jobpanel, markup
from studio.ui.embed import EmbedTab, Memory
from studio.ui.follower import PRIVATE
from studio.ui.grade import TASK, GradeTab
from studio.ui.librarypane import LibraryPane
from studio.ui.lutpane import LutPane
from studio.ui.models import ModelsTab
from studio.ui.pulse import Part, Pulse, of_job
from studio.ui.science import Memory as ScienceMemory
from studio.ui.science import ScienceTab

if TYPE_CHECKING:
    from studio.jobs import Job
    from studio.tasks import Studio

TABS = ("grade", "embed", "science", "models")
SHOW_TAB = """
(tab) => {
  if (!window.studioOpened) return;  // the first tab says so itself before the address was read
  const url = new URL(window.location.href);
  url.searchParams.set("tab", tab);
  window.history.replaceState(null, "", url);
}
"""

OPENED = """
() => {
  window.studioOpened = true;
  const url = new URL(window.location.href);
  url.searchParams.delete("job");  // the browser remembers it from here on
  window.history.replaceState(null, "", url);
}
"""
READ_ADDRESS = "(visitor, address) => [visitor, window.location.search]"


def build(studio: Studio) -> gr.Blocks:
    """Build the app.

    Args:
        studio: The assembled studio; the app only calls its jobs, models and settings.
    """
    app: gr.Blocks
    with gr.Blocks(title="Gemma Studio", fill_width=True, analytics_enabled=False, delete_cache=(3600, 86400)) as app:
        endpoints.add(studio)  # first, or a handler of the page would take an endpoint's name
        App(studio, app)
    return app


class App:
    """The frame around the tabs.

    Args:
        studio: The assembled studio.
        blocks: The Blocks being built.
    """

    def __init__(self, studio: Studio, blocks: gr.Blocks) -> None:
        self.studio = studio
        self.visitor = gr.BrowserState("", storage_key="studio-visitor", secret="gemma-studio")
        lut = gr.BrowserState("", storage_key="studio-lut", secret="gemma-studio")
        remembered, learnt = Memory(), ScienceMemory()
        self.address = gr.Textbox(visible=False)
        with gr.Row(elem_id="header"):
            markup.html(header.title(), elem_id="title")
            self.facts = markup.html(elem_id="facts", js_on_load=header.OPEN_DRAWER)
            theme = gr.Button("Light / dark", size="sm", elem_id="theme", min_width=40)
        with gr.Tabs(elem_id="tabs") as self.tabs:
            with gr.Tab("Grade", id="grade") as grade_tab, gr.Tabs(elem_id="panes", elem_classes="panes") as self.panes:
                with gr.Tab("Train", id="train"):
                    self.grade = GradeTab(studio, self.visitor)
                with gr.Tab("LUT", id="lut"):
                    self.lut = LutPane(studio, self.visitor, lut)
                with gr.Tab("Library", id="library") as self.library_tab:
                    self.library = LibraryPane(studio, self.visitor)
            with gr.Tab("Embed", id="embed") as embed_tab:
                self.embed = EmbedTab(studio, self.visitor, remembered)
            with gr.Tab("Science", id="science") as science_tab:
                self.science = ScienceTab(studio, self.visitor, learnt)
            with gr.Tab("Models", id="models") as models_tab:
                self.models = ModelsTab(studio)
        with gr.Sidebar(open=False, position="right", width=340, elem_id="drawer"):
            markup.html("<h2>Jobs</h2>")
            self.drawer = markup.html(elem_id="jobs", js_on_load=jobpanel.ON_CLICK)
        theme.click(None, js=header.TOGGLE_THEME)
        for name, tab in zip(TABS, (grade_tab, embed_tab, science_tab, models_tab), strict=True):
            tab.select(None, js=f"() => ({SHOW_TAB})('{name}')")
        self.places = {
            TASK: Place(self.grade.job, "grade", self.panes, "train"),
            "extract": Place(self.embed.extract.job, "embed", self.embed.panes, "extract"),
            "probe": Place(self.embed.probe.follower.job, "embed", self.embed.panes, "probe"),
            "inspect-h5": Place(self.embed.inspect.follower.job, "embed", self.embed.panes, "inspect"),
            "train-scienceqa": Place(learnt.train, "science", self.science.panes, "science-train"),
            "evaluate-scienceqa": Place(learnt.evaluate, "science", self.science.panes, "evaluate"),
            "scienceqa-data": Place(learnt.data, "science", self.science.panes, "data"),
            "draw-questions": Place(learnt.drawing, "science", self.science.panes, "data"),
        }
        self._wire(blocks)

    @property
    def shown(self) -> list[Any]:
        """The components that `_show` fills."""
        return [*(place.job for place in self.places.values()), self.tabs, *self._inner]

    @property
    def _inner(self) -> tuple[gr.Tabs, ...]:
        """The panes of those tabs that have some."""
        return self.panes, self.embed.panes, self.science.panes

    def _wire(self, blocks: gr.Blocks) -> None:
        pulse = Pulse(self.studio.jobs, self.visitor, self._parts())
        jobs = [place.job for place in self.places.values()]
        acted = self.drawer.click(self.act, [self.visitor, *jobs], self.shown, **PRIVATE)
        self._wire_luts()
        opened = blocks.load(
            self.open, [self.visitor, self.address], [self.visitor, *self.shown], js=READ_ADDRESS, **PRIVATE
        )
        opened.then(self.grade.restore, [self.grade.job, self.grade.folder], self.grade.restored, **PRIVATE)
        opened.then(self.lut.open, self.lut_given, self.lut.opened, **PRIVATE)
        self.embed.restore(opened)
        self.science.restore(opened)
        for event in (opened, acted):
            pulse.after(event)
        opened.then(None, js=OPENED)

    def _parts(self) -> list[Part]:
        """Name everything on the page that changes by itself."""
        facts: dict[str, Any] = {"fn": self.draw_facts, "inputs": self.visitor, "outputs": self.facts}
        drawer: dict[str, Any] = {"fn": self.draw_drawer, "inputs": self.visitor, "outputs": self.drawer}
        models: dict[str, Any] = {"fn": self.models.draw, "inputs": None, "outputs": self.models.loaded}
        grade, result = self.grade, self.grade.result
        graded: dict[str, Any] = {"fn": grade.poll, "inputs": [grade.job, grade.seen], "outputs": grade.shown}
        followers = [self.lut.work.applied, self.lut.work.asked, self.library.compared, self.library.made]
        return [
            Part("facts", "facts", lambda visitor, job: self.draw_facts(visitor), None, facts),
            Part("drawer", "jobs", lambda visitor, job: self.draw_drawer(visitor), None, drawer),
            Part("models", "loaded", lambda visitor, job: self.models.draw(), None, models),
            Part("grade", "start", lambda visitor, job: result.version(job), grade.job, graded),
            *(part for each in [*followers, *self.embed.followers, *self.science.followers] for part in of_job(each)),
        ]

    def _wire_luts(self) -> None:
        """Open a LUT from wherever one is shown."""
        self.lut_given = [self.lut.key, self.lut.photo, self.lut.strength, self.visitor]
        opened = [self.panes, *self.lut.opened]
        self.grade.result.open.click(
            lambda job, *seen: [gr.Tabs(selected="lut"), *self.lut.open(f"job/{job}", *seen)],
            [self.grade.job, *self.lut_given[1:]], opened, **PRIVATE,
        )  # fmt: skip
        self.library.grid.select(
            self.pick, [self.library.keys, self.library.photo, self.lut.strength, self.visitor],
            [*opened, self.lut.photo], **PRIVATE,
        )  # fmt: skip
        draw: dict[str, Any] = {"fn": self.library.draw, "inputs": self.library.given, "outputs": self.library.drawn}
        self.library_tab.select(**draw, **PRIVATE)

    def pick(
        self, keys: list[str], photo: str | None, strength: float, visitor: str, event: gr.SelectData
    ) -> list[Any]:
        """Open the LUT of the picture pressed in a library, on the library's photograph."""
        key = keys[event.index] if isinstance(event.index, int) and event.index < len(keys) else ""
        return [gr.Tabs(selected="lut"), *self.lut.open(key, photo, strength, visitor), photo]

    def open(self, visitor: str, address: str) -> list[Any]:
        """Give the browser its word, and open the tab and the job that its address names."""
        visitor = visitor or access.new_visitor()
        named = dict(parse_qsl(address.removeprefix("?")))
        shown = self._show(gr.Tabs(selected=named["tab"]) if named.get("tab") in TABS else gr.skip())
        try:
            job = access.own_job(self.studio.jobs, named["job"], visitor)
            shown = self._watch(job.task, job.id) if job.task in self.places else shown
        except (KeyError, StudioError):
            pass  # it names none, or none that is there
        return [visitor, *shown]

    def _show(self, tab: Any) -> list[Any]:
        """Open a tab, and leave everything else on show as it is."""
        return [*[gr.skip()] * len(self.places), tab, *[gr.skip()] * len(self._inner)]

    def _watch(self, task: str, job_id: str) -> list[Any]:
        """Open a job in the pane of its task."""
        place = self.places[task]
        jobs = [job_id if name == task else gr.skip() for name in self.places]
        panes = [gr.Tabs(selected=place.pane) if place.panes is each else gr.skip() for each in self._inner]
        return [*jobs, gr.Tabs(selected=place.tab), *panes]

    def draw_facts(self, visitor: str) -> str:
        """Draw the header."""
        return header.facts(self.studio.models, self._jobs(visitor))

    def draw_drawer(self, visitor: str) -> str:
        """Draw the visitor's jobs."""
        return jobpanel.drawer(self._jobs(visitor), [*self.places])

    def _jobs(self, visitor: str) -> list[Job]:
        return self.studio.jobs.list(access.owner(visitor) or None)

    def act(self, event: gr.EventData, visitor: str, *shown: str | None) -> list[Any]:
        """Do what a button in the drawer says: watch, stop, resume or remove a job."""
        jobs, action = self.studio.jobs, str(event.action)
        verbs = {"watch": jobs.get, "stop": jobs.cancel, "resume": jobs.resume, "remove": jobs.remove}
        now = self._show(gr.skip())
        try:
            job = access.own_job(jobs, str(event.job), visitor)
            verbs[action](job.id)
            if action in ("watch", "resume") and job.task in self.places:
                now = self._watch(job.task, job.id)
            elif action == "remove":
                now[: len(shown)] = ["" if each == job.id else gr.skip() for each in shown]
        except StudioError as error:
            gr.Warning(str(error))
        return now


class Place(NamedTuple):
    """Where a task's jobs are shown: what the page remembers the job by, its tab, and its pane in that."""

    job: gr.BrowserState
    tab: str
    panes: gr.Tabs
    pane: str
