"""The stored face that is looked for in a recording, with `--patient person`."""

from realtime.batch.inputs import Input
from realtime.config import Config
from realtime.errors import UserInputError
from realtime.session.face_store import FaceStore, KnownFace


def stored_face(one: Input, config: Config) -> KnownFace:
    """The face that is looked for in a recording.

    Args:
        one: the recording; the list's column `person` says whose it is, else the settings do.
        config: the settings.

    Raises:
        UserInputError: nobody is named, or nothing is stored.
    """
    name = one.person(config.person)
    if name is None:
        raise UserInputError(
            f"{one.path}: --patient person needs a name: give the list a column `person`, or say --person NAME."
        )
    try:
        return FaceStore(config.people_folder).find(name)
    except UserInputError as error:
        raise UserInputError(f"{one.path}: {error}") from None
