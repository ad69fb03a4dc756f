"""Fakes that ship: the partner API and its authorization server, with fault switches.

`telemed-proxy sandbox` and the tests use them. Nothing here imports the rest of the
package: a fake that shares code with the tested thing shares its bugs. Where to look:

* `app` joins the parts: `Sandbox` is three listeners over one state.
* `routes` is the table of calls; `api` serves it, `calls` are its functions.
* `authorization` and `tokens` are the authorization server, `sms` its codes.
* `switches` say how both behave, `scenarios` are switches under a name, `control`
  turns them while they run, `faults` is how answers get lost.
* `data` makes up doctors, patients and files from a seed.
"""

from proxy.sandbox.app import Sandbox
from proxy.sandbox.scenarios import SCENARIOS, Scenario
from proxy.sandbox.switches import Switches

__all__ = ["SCENARIOS", "Sandbox", "Scenario", "Switches"]
