"""The right side of the Grade tab: pictures, state, scores, curves and downloads of one job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from studio.jobs import Job
from studio.ui import gradeview, jobpanel, markup, uploads
from studio.ui.follower import Seen, changed
from studio.ui.quality import called, measured

if TYPE_CHECKING:
    from studio.tasks import Studio

EMPTY = """
<div class="empty">
  <div class="strip">{strip}</div>
  <h2>Grade photographs with words</h2>
  <p>Drop photographs, say a look, press Start. A judge looks at before and after while a LUT is trained, and the
  picture here changes as it learns. The finished .cube opens wherever 3D LUTs do, from Resolve to ffmpeg.</p>
</div>
"""


class GradeResult:
    """Components that show a job, and how they follow it.

    Args:
        studio: The assembled studio.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        with gr.Column(elem_classes="stage", elem_id="stage"):
            self.empty = markup.html(EMPTY.format(strip=self._strip()), elem_id="empty")
            self.run_example = gr.Button("Run the example", elem_id="run-example", size="sm")
            self.slider = gr.ImageSlider(
                type="filepath",
                show_label=False,
                container=False,
                interactive=False,
                visible=False,
                buttons=["fullscreen"],
                max_height=640,
                elem_id="before-after",
            )
        self.status = markup.html(elem_id="status")
        with gr.Row(elem_classes="downloads"):
            self.cube = gr.DownloadButton("Download .cube", visible=False, elem_id="download-cube", size="md")
            self.report = gr.DownloadButton("Download report .json", visible=False, elem_id="download-json", size="md")
            self.open = gr.Button("Open the LUT", visible=False, elem_id="open-lut", size="md")
        self.gauges = markup.html(elem_id="gauges")
        with gr.Row(elem_classes="plots"):
            with gr.Column(min_width=280, elem_classes="plot"):
                self.scores_legend = markup.html(elem_id="scores-legend")
                self.scores = _plot("scores", [0, 1])
            with gr.Column(min_width=280, elem_classes="plot"):
                self.losses_legend = markup.html(elem_id="losses-legend")
                self.losses = _plot("losses", None)
        self.sheet = gr.Image(
            show_label=False,
            container=False,
            interactive=False,
            visible=False,
            buttons=["fullscreen"],
            elem_id="sheet",
            type="filepath",
        )

    def _strip(self) -> str:
        from studio.images import list_images, load_view

        settings, cache = self.studio.settings, self.studio.cache
        return "".join(
            markup.picture(load_view(path, 220, cache, settings), path.stem)
            for path in list_images(uploads.EXAMPLES, settings)
        )

    @property
    def components(self) -> list[Component]:
        """The components, in the order `show` returns their values."""
        return [
            self.empty,
            self.run_example,
            self.slider,
            self.status,
            self.cube,
            self.report,
            self.open,
            self.gauges,
            self.scores_legend,
            self.scores,
            self.losses_legend,
            self.losses,
            self.sheet,
        ]

    @staticmethod
    def version(job: Job | None) -> str:
        """Return a text that changes whenever `show` would change anything."""
        files = (_files(job, "before", "after", "sheet"), _offered(job))
        return "|".join((jobpanel.signature(job), *files)) if job else ""

    def show(self, job: Job | None, seen: Seen) -> list[Any]:
        """Return new values for what changed since the job was last seen, and note it in `seen`."""
        return [
            *changed(seen, "slider", _files(job, "before", "after"), lambda: _slider(job), 3),
            *changed(seen, "status", jobpanel.signature(job), lambda: [jobpanel.status(job) if job else ""], 1),
            *changed(seen, "downloads", _offered(job), lambda: _downloads(job), 3),
            *changed(seen, "curves", _step(job), lambda: self._curves(job), 5),
            *changed(seen, "sheet", _files(job, "sheet"), lambda: [_sheet(job)], 1),
        ]

    def _curves(self, job: Job | None) -> list[Any]:
        events = self.studio.jobs.events(job.id) if job else []
        model_type = str(job.config.get("model_type", "")) if job else ""
        shown: list[Any] = [gradeview.gauges(gradeview.newest(events), called(model_type), measured(model_type))]
        for title, names in (("How far they believe it, 0 to 1", gradeview.SCORES), ("Losses", gradeview.LOSSES)):
            table = gradeview.curves(events, names)
            enough = table["step"].nunique() > 2
            shown += [gradeview.legend(title, table) if enough else "", gr.LinePlot(table, visible=enough)]
        return shown


def _plot(name: str, limits: Any) -> gr.LinePlot:
    return gr.LinePlot(
        x="step",
        y="value",
        color="curve",
        x_title="step",
        y_title=" ",
        color_title=" ",
        y_lim=limits,
        color_map=gradeview.COLOURS,
        colors_in_legend=[],
        height=230,
        visible=False,
        elem_id=name,
        tooltip="all",
    )


def _artifact(job: Job | None, name: str) -> Path | None:
    path = job.folder / job.artifacts[name] if job and name in job.artifacts else None
    return path if path and path.is_file() else None


def _files(job: Job | None, *names: str) -> str:
    """Return a text that changes when any of these artifacts is written anew."""
    parts = [job.id if job else ""]
    for name in names:
        path = _artifact(job, name)
        parts.append(f"{path.name} {path.stat().st_mtime_ns}" if path else "")
    return "|".join(parts)


def _offered(job: Job | None) -> str:
    """Return a text that changes with the files, and when they may be had: the last ones lie there before the end."""
    return f"{_files(job, 'lut', 'report')} {job is not None and job.state.finished}"


def _step(job: Job | None) -> str:
    return f"{job.id} {job.state} {job.last.done if job.last else ''}" if job else ""


def _slider(job: Job | None) -> list[Any]:
    before, after = _artifact(job, "before"), _artifact(job, "after")
    if before is None or after is None:
        return [gr.HTML(visible=job is None), gr.Button(visible=job is None), gr.ImageSlider(None, visible=False)]
    pair = (uploads.serve(before), uploads.serve(after))
    return [gr.HTML(visible=False), gr.Button(visible=False), gr.ImageSlider(pair, visible=True)]


def _downloads(job: Job | None) -> list[Any]:
    over = job is not None and job.state.finished
    paths = [_artifact(job, name) if over else None for name in ("lut", "report")]
    files = [gr.DownloadButton(value=uploads.serve(path) if path else None, visible=path is not None) for path in paths]
    return [*files, gr.Button(visible=paths[0] is not None)]


def _sheet(job: Job | None) -> Any:
    path = _artifact(job, "sheet")
    return gr.Image(uploads.serve(path) if path else None, visible=path is not None)
