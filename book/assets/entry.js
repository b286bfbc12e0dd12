// Draws the widgets that a notebook saved into a page: no kernel, no loader, no request to any host.
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as base from "@jupyter-widgets/base";
import * as controls from "@jupyter-widgets/controls";
import * as lumino from "@lumino/widgets";
import "@lumino/widgets/style/index.css";
import "@jupyter-widgets/controls/css/labvariables.css";
import "@jupyter-widgets/controls/css/widgets-base.css";
import makeAnywidget from "anywidget-factory";

const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
const modules = {
  "@jupyter-widgets/base": base,
  "@jupyter-widgets/controls": controls,
  anywidget: makeAnywidget(base),
};

class StaticManager extends ManagerBase {
  async loadClass(name, module) {
    const found = modules[module]?.[name];
    if (!found) throw new Error(`${module}/${name} is not part of this book's script`);
    return found;
  }
  async _get_comm_info() { return {}; }
  async _create_comm() { return { on_close() {}, on_msg() {}, close() {}, send() {} }; }
}

// ipywidgets asks MathJax 2 to typeset slider names. Answer with MathJax 3, which the book carries.
function serveOldMathJaxCalls() {
  const mathjax = window.MathJax;
  if (!mathjax || mathjax.Hub) return;
  mathjax.Hub = {
    Queue: ([, , node]) => mathjax.startup?.promise?.then(() => {
      if (!/\$[^$]+\$/.test(node.textContent)) return undefined;
      node.classList.add("tex2jax_process");
      node.textContent = node.textContent.replace(/\$([^$]+)\$/g, "\\($1\\)");
      return mathjax.typesetPromise([node]);
    }),
  };
}

// The handle of a slider has a role and arrow keys, but no name, and it announces an index instead of the value shown.
function nameSlider(slider) {
  const handle = slider.querySelector(".noUi-handle");
  const name = slider.querySelector(".widget-label")?.textContent.trim();
  const readout = slider.querySelector(".widget-readout");
  if (!handle || !name) return;
  handle.setAttribute("aria-label", name);
  if (!readout) return;
  if (readout.isContentEditable) {
    readout.setAttribute("role", "textbox");
    readout.setAttribute("aria-label", `${name}, value`);
  }
  const announce = () => handle.setAttribute("aria-valuetext", readout.textContent.trim());
  new MutationObserver(announce).observe(readout, { childList: true, characterData: true, subtree: true });
  announce();
}

// The children of a box are drawn after the box itself.
async function settled(view) {
  for (const child of await Promise.all(view.children_views?.views ?? [])) await settled(child);
}

async function run() {
  document.documentElement.dataset.widgets = "loading";    // style sheets tell a page without a kernel by this
  serveOldMathJaxCalls();
  for (const script of document.querySelectorAll(STATE)) {
    const manager = new StaticManager();
    const models = await manager.set_state(JSON.parse(script.textContent));
    for (const view of document.querySelectorAll(VIEW)) {
      const id = JSON.parse(view.textContent).model_id;
      const model = models.find((candidate) => candidate.model_id === id);
      if (!model) continue;
      const host = document.createElement("div");
      host.className = "widget-subarea";
      view.before(host);
      const drawn = await manager.create_view(model);
      lumino.Widget.attach(drawn.luminoWidget, host);
      await settled(drawn);
      host.querySelectorAll(".widget-slider").forEach(nameSlider);
    }
  }
  document.documentElement.dataset.widgets = "ready";
}

document.readyState === "loading" ? addEventListener("DOMContentLoaded", run) : run();
