// The theme's icon script replaces <i> elements, which breaks ipywidgets' Play button. Put the drawing inside instead.
window.FontAwesomeConfig = { autoReplaceSvg: "nest" };
