"""Functions that apply themselves: a small stack machine, or plain evaluation where constants decide how deep they go.

``call`` chooses; ``flatten`` and ``segments`` cut a body at its recursive applications; ``machine`` runs the pieces."""
