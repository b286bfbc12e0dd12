// Stands in for the theme's file of this name. The theme's style sheet and icon font already draw every icon; its script
// draws them a second time, weighs half a megabyte compressed, and breaks the Play button of ipywidgets.
