"""What figures that are played in share: a title, and what stands for them where there is no kernel and no script."""

from html import escape

import traitlets as T

from .widgets import WITHOUT_KERNEL, Figure


class Stage(Figure):
    """A figure with all its controls in it; its state is its traits."""

    title = T.Unicode().tag(sync=True)

    def still(self) -> str:
        """The picture as SVG, for a notebook that is opened without a kernel; empty where there is none."""
        return ""

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        stop = "" if self.title.endswith((".", "?")) else "."
        told = f"Interactive figure: {self.title}{stop} {WITHOUT_KERNEL}"
        return {
            "text/plain": told,
            "text/html": f"<figure>{self.still()}<figcaption>{escape(told)}</figcaption></figure>",
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.model_id,
            },
        }
