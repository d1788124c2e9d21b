"""Settings that are each in range, but do not go together."""

from realtime.config.settings import Config
from realtime.errors import UserInputError


def refuse_conflicts(config: Config) -> None:
    """Refuse settings that are each in range, but do not go together, before anything is opened.

    Args:
        config: the settings.

    Raises:
        UserInputError: two do not; one sentence names both options.
    """
    if config.landmarks_only and config.record != "off":
        raise UserInputError("--landmarks-only stores no picture, so it does not go with --record.")
    if config.blur_face != "off" and config.record == "raw":
        raise UserInputError("--record raw keeps the captured frames as they are, so it does not go with --blur-face.")
    if config.blur_face in ("others", "others-everywhere") and config.people == 1:
        raise UserInputError(
            f"--blur-face {config.blur_face} must tell the patient from the others, so it needs --people 2 or more."
        )
    _refuse_stored_face(config)
    if config.people > 1 and config.au != "own":
        raise UserInputError("--au openface2 measures one face, so it does not go with --people above 1.")
    if config.record == "raw" and config.au != "own":
        raise UserInputError(
            "--record raw is for replaying the program's own Action Units; it does not go with --au openface2."
        )
    if config.sound is not None and config.record == "off" and not config.dashboard:
        raise UserInputError("--sound is recorded with the picture, so it needs --record.")
    if (config.sound is not None or config.tone_unit is not None) and config.speed == "max":
        raise UserInputError("--sound and --tone need the pace of real time, which --speed max does not keep.")
    if config.sound is not None and config.landmarks_only:
        raise UserInputError("--landmarks-only stores only numbers, so it does not go with --sound.")
    if config.name is not None and not config.lsl:
        raise UserInputError("--name is the name of LSL streams, so it needs --lsl.")
    if config.lsl and config.speed == "max":
        raise UserInputError("--lsl stamps frames with the time when they were taken, which --speed max does not have.")
    _refuse_scale(config)
    if config.obs.rules and config.obs.url is None:
        raise UserInputError("obs.rules steer OBS, so they need --obs.")
    if config.obs.url is not None and config.speed == "max":
        raise UserInputError("--obs steers OBS while things happen, so it does not go with --speed max.")


def _refuse_stored_face(config: Config) -> None:
    """Who is to be known again has a name."""
    if config.store_face and config.person is None:
        raise UserInputError("--store-face stores a face under a person's name, so it needs --person NAME.")
    if config.store_face and config.au != "own":
        raise UserInputError("--store-face does not go with --au openface2.")
    if config.patient_rule == "person" and config.people == 1:
        raise UserInputError("--patient person finds the person among several, so it needs --people 2 or more.")
    if config.patient_rule == "person" and config.person is None:
        raise UserInputError("--patient person needs --person NAME: whose stored face is looked for.")


def _refuse_scale(config: Config) -> None:
    """The scale of millimetres and the number it needs go together."""
    wanted = config.millimetres
    for scale, option, value in (
        ("pupils", "--pupil-distance MM", wanted.pupil_distance),
        ("ruler", "--ruler MM:X1,Y1,X2,Y2", wanted.ruler),
    ):
        if wanted.scale == scale and value is None:
            raise UserInputError(f"--millimetres {scale} needs {option}.")
        if wanted.scale != scale and value is not None:
            raise UserInputError(f"{option.split()[0]} is for --millimetres {scale}, which was not asked for.")
