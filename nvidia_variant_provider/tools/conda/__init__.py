"""conda, mamba, micromamba and pixi: the machine as the virtual packages that they go by."""
