"""A window with a button from which the files named as arguments can be dragged: what a file manager does, for a test."""
import pathlib
import sys

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk

uris = [pathlib.Path(p).resolve().as_uri() for p in sys.argv[1:]]
window = Gtk.Window(title="drag-source")
window.set_default_size(160, 80)
window.move(20, 620)
button = Gtk.Button(label="drag me")
button.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
button.drag_source_add_uri_targets()
button.connect("drag-data-get", lambda w, context, data, info, time: data.set_uris(uris))
window.add(button)
window.connect("destroy", Gtk.main_quit)
window.show_all()
Gtk.main()
