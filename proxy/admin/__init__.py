"""The admin listener: an application of its own, never on the forwarding address.

* `guard` stands before every route and dresses every answer.
* `lock` asks for the password, `sessions` knows who typed it.
* `api` is JSON for programs, `page` the same for people, without JavaScript.
* `state` is what both show; `texts` says it in English and Russian.
* `app` joins them, `connection` limits who comes, and `late` loads it all when somebody
  does.
"""
