"""Templates (项目模板): what a kind of tender consists of, as data. A manifest names its template.

Invariant: a template is data alone, read by whoever drafts a manifest; what is in force is what the
signed manifest says. A tender of an unknown template is not published.
"""

from crypto.canonical import Json
from server.domain.templates.building import BUILDING

TEMPLATES: dict[str, dict[str, Json]] = {"building": BUILDING}
