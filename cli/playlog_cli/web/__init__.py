"""The operators' page: a server on loopback that shows a stack in a browser, and changes it for its user.

`gate` decides who gets in. `site` lists the addresses. `pages` holds one module per page: it reads the request, makes
one call of another package, and renders a template. No rule about matches or plays lives here.

Who may import this package: `commands`.
What it may import: `playlog`, `catalog`, `failures`, `auditing`, `inspecting`, `overview`, `plays`, `reporting`,
`stacks`, `time_zones`, `errors`, and the words of `terminal`.
"""
