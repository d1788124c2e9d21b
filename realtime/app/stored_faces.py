"""The stored person's face in a run: looked for with `--patient person`, stored with `--store-face`."""

from dataclasses import dataclass
from datetime import datetime

from realtime.config import Config
from realtime.errors import DeviceError, UserInputError
from realtime.face.face_embedding import FaceMemory, StoredFaceSearch
from realtime.files import shell_word
from realtime.session.face_store import FaceStore


@dataclass(slots=True)
class StoredFaces:
    """What a run knows and stores of faces.

    Attributes:
        store: where they are kept.
        name: the person's; None: no face is looked for or stored.
        memory: see `realtime.app.pipeline.Outputs`.
        search: likewise.
        stored: for the run's summary, once a face was stored.
    """

    store: FaceStore
    name: str | None
    memory: FaceMemory | None
    search: StoredFaceSearch | None
    stored: dict[str, object] | None = None

    @classmethod
    def open(cls, config: Config) -> "StoredFaces":
        """Read the stored face that is to be looked for.

        Args:
            config: the settings.

        Raises:
            UserInputError: none is stored, or it is damaged.
        """
        store, search = FaceStore(config.people_folder), None
        if config.patient_rule == "person" and config.person is not None:
            search = StoredFaceSearch(store.find(config.person).embedding)
        return cls(store, config.person, FaceMemory() if config.store_face else None, search)

    @property
    def announcement(self) -> str:
        """A sentence that is said before anything is stored; empty where nothing will be."""
        if self.memory is None or self.name is None:
            return ""
        return (
            f"--store-face: at the end, what {self.name}'s face looks like is stored in {self.store.path(self.name)}. "
            "These numbers are biometric data."
        )

    def finish(self) -> str:
        """Store the face. Gives a sentence about it, also where nothing could be stored; empty where nothing was to be."""
        if self.memory is None or self.name is None:
            return ""
        embedding, looks = self.memory.embedding, self.memory.looks
        if embedding is None:
            return f"Too little was seen of {self.name}'s face, uncovered and facing the camera; it is not stored."
        try:
            path = self.store.store(self.name, embedding, looks, datetime.now().astimezone())
        except (DeviceError, UserInputError) as error:
            return str(error)
        self.stored = {"person": self.name, "file": str(path), "looks": looks, "biometric": True}
        return (
            f"What {self.name}'s face looks like is stored in {path} (biometric data, {looks} looks); "
            f"`facemirror-live people --forget-face {shell_word(self.name)}` deletes it."
        )
