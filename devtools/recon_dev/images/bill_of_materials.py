"""The bill of materials of an image, in CycloneDX: every distribution of its Python and every package of its Debian.

Libraries that lie inside of a wheel, such as those of pycolmap, are not listed by themselves.
"""

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from packageurl import PackageURL

from recon_dev.errors import DevError
from recon_dev.images.contents import Contents, DebianPackage, PythonPackage

VERSION = SchemaVersion.V1_6
"""What scanners read today; 1.7 is young."""


def bill_of_materials(image: str, contents: Contents) -> str:
    """Return the document as JSON, checked against CycloneDX's schema.

    Raises:
        DevError: the schema does not accept it.

    """
    name, _, version = image.rpartition(":")
    bom = Bom()
    bom.metadata.component = root = Component(type=ComponentType.CONTAINER, name=name, version=version, bom_ref="image")
    parts = [_system(contents), _interpreter(contents), *map(_python, contents.python + contents.python_of_base)]
    parts += [_debian(each, contents.operating_system) for each in contents.debian]
    bom.components.update(parts)
    bom.register_dependency(root, parts)
    text = make_outputter(bom, OutputFormat.JSON, VERSION).output_as_string(indent=1)
    if error := make_schemabased_validator(OutputFormat.JSON, VERSION).validate_str(text):
        raise DevError(f"the bill of materials of {image} is not valid CycloneDX\n{error}")
    return text + "\n"


def _system(contents: Contents) -> Component:
    system = contents.operating_system
    return Component(type=ComponentType.OPERATING_SYSTEM, name=system["ID"], version=system.get("VERSION_ID"))


def _interpreter(contents: Contents) -> Component:
    purl = PackageURL("generic", name="python", version=contents.python_version)
    return Component(name="python", version=contents.python_version, purl=purl, bom_ref=str(purl))


def _python(package: PythonPackage) -> Component:
    name = package.name.lower().replace("_", "-")
    purl = PackageURL("pypi", name=name, version=package.version)
    licenses = [LicenseFactory().make_from_string(package.license)] if package.license else []
    return Component(name=name, version=package.version, purl=purl, licenses=licenses, bom_ref=str(purl))


def _debian(package: DebianPackage, system: dict[str, str]) -> Component:
    where = {"arch": package.architecture, "distro": f"{system['ID']}-{system.get('VERSION_ID', '')}"}
    purl = PackageURL("deb", system["ID"], package.name, package.version, where)
    return Component(name=package.name, version=package.version, purl=purl, bom_ref=str(purl))
