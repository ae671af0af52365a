"""`python -m crypto.verifier`, in the project's tree (see the package's docstring)."""

from crypto.verifier.command import main

if __name__ == "__main__":
    main()
