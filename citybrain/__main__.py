# SPDX-License-Identifier: Apache-2.0
"""`python -m citybrain` is the command `citybrain`."""

if __name__ == "__main__":
    # Here, as processes of the city that simulate import this file too, and need no commands.
    from citybrain.serve.cli import main

    main()
