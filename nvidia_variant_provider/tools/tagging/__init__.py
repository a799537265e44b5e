"""From device code, a build's list of targets or plain properties to a truthful variant wheel."""
