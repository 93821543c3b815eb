"""Outputs of commands in README and docs/: made from the embedded AWS by `make docs`, compared by `make docs-check`.

A page marks a block with the stage and the command that made it:

    <!-- docs converted: playlog status -->
    ```console
    $ playlog status
    ...
    ```
    <!-- end: docs -->

`stages` has what is in the tables at each stage, `pictures` the screenshots of commands, and `screens` those of the
operators' page.
"""
