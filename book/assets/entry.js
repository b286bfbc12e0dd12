// Draws the widgets that a notebook saved into a page: no kernel, no loader, no request to any host.
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as base from "@jupyter-widgets/base";
import * as boxes from "@jupyter-widgets/controls/lib/widget_box.js";
import * as lumino from "@lumino/widgets";
import "@lumino/widgets/style/index.css";
import "@jupyter-widgets/controls/css/labvariables.css";
import makeAnywidget from "anywidget-factory";

const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
const modules = {
  "@jupyter-widgets/base": base,
  "@jupyter-widgets/controls": boxes,    // figures bring their own controls; of Jupyter's they use the box alone
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

// The children of a box are drawn after the box itself.
async function settled(view) {
  for (const child of await Promise.all(view.children_views?.views ?? [])) await settled(child);
}

async function run() {
  document.documentElement.dataset.widgets = "loading";    // style sheets tell a page without a kernel by this
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
    }
  }
  document.documentElement.dataset.widgets = "ready";
}

document.readyState === "loading" ? addEventListener("DOMContentLoaded", run) : run();
