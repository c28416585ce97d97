# SPDX-License-Identifier: Apache-2.0
"""`python -m citybrain` is the command `citybrain`."""

from citybrain.serve.cli import main

if __name__ == "__main__":
    main()
