"""`python -m splitaudit.cli`."""

from splitaudit.cli import main

if __name__ == "__main__":
    main()
