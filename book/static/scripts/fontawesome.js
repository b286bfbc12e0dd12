// Stands in for the theme's file of this name. icons.css draws the few icons of the pages; the theme's script
// draws them a second time and weighs half a megabyte compressed.
