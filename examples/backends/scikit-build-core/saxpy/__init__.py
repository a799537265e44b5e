"""A package that carries one library with device code; examples/saxpy shows how it is called."""
