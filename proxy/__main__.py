"""`python -m proxy` is `telemed-proxy`."""

from proxy.cli import main

if __name__ == "__main__":
    main()
