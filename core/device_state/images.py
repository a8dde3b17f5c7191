"""Names of images, in the one spelling in which Docker shows them."""

import re

from core.device_state.findings import Findings

LONGEST_IMAGE = 512
# The grammar of github.com/distribution/reference: registry, path, tag, digest.
_REGISTRY = r"(?:(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?/)?"
_PATH = r"[a-z0-9]+(?:(?:__|[._]|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"{_REGISTRY}{_PATH}(?:/{_PATH})*(?P<tag>:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(?P<digest>@sha256:[0-9a-f]{{64}})?"
)
_DEFAULT_REGISTRY = re.compile(r"(?:index\.)?docker\.io/(?:library/)?")


def familiar(image: str) -> str:
    """The name without the registry that is meant when none is named: `docker.io/library/nginx:1` is `nginx:1`."""
    return _DEFAULT_REGISTRY.sub("", image, count=1) if _DEFAULT_REGISTRY.match(image) else image


def checked_image(value: object, field: str, found: Findings) -> str:
    """The image as Docker will show it: agents compare it letter by letter (contract §9.4)."""
    if not isinstance(value, str) or len(value) > LONGEST_IMAGE:
        found.refuse(field, f"must be text of at most {LONGEST_IMAGE} characters")
        return ""
    image = familiar(value)
    parts = _IMAGE.fullmatch(image)
    if parts is None:
        found.refuse(field, "is no name of an image, such as nginx:1.27 or registry.example:5000/team/app:2")
        return value
    if image != value:
        found.warn(field, f"was changed to {image}: that is how Docker shows it, and agents compare the two")
    if not parts["tag"] and not parts["digest"]:
        found.warn(field, "names no tag, so :latest is meant: name one, or what runs depends on when it was fetched")
    if parts["tag"] and parts["digest"]:
        found.warn(field, "has a tag and a digest: Docker may show one of them only, and agents then start it anew")
    return image
