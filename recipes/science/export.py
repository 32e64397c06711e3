"""Step five of the recipe: towers, tokenizer and projector into a bundle of the studio, weights in bfloat16.

    python -m recipes.science.export WORK FOLDER

What it writes is what the studio's own training starts from.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from transformers import CLIPVisionModel

from recipes.science.asked import MERGE
from recipes.science.drawings import VIEWS
from recipes.science.speak import Speaker
from recipes.science.vision import MEAN, SPREAD, WIDTH, tower_of
from studio.gemma import languages
from studio.scienceqa.model import bundle
from studio.scienceqa.model.bundle import BundleInfo
from studio.scienceqa.model.gemmaclip import GemmaClip


def assemble(tower: CLIPVisionModel, speaker: Speaker, folder: Path) -> GemmaClip:
    """Put the parts together as the studio does; ``folder`` is where the towers are going to lie."""
    info = BundleInfo(
        vision=str(folder / bundle.TOWERS["vision"]), language=str(folder / bundle.TOWERS["language"]), views=VIEWS,
        vision_layer=-1, merge=MERGE, text_rms=speaker.projector.text_rms, mean=(MEAN,) * 3, std=(SPREAD,) * 3,
        answering="reasoning", name=folder.name,
    )  # fmt: skip
    return GemmaClip(tower.eval(), speaker.projector.eval(), speaker.language.eval(), speaker.tokenizer, info)


def export(tower: CLIPVisionModel, speaker: Speaker, folder: Path) -> BundleInfo:
    """Write a bundle with its own towers."""
    model = assemble(tower, speaker, folder)
    bundle.save(model, folder, vision=str(bundle.TOWERS["vision"]), language=str(bundle.TOWERS["language"]))
    base = {which: folder / place for which, place in bundle.TOWERS.items()}
    tower.to(torch.bfloat16).save_pretrained(base["vision"])
    pictures = {"image_mean": [MEAN] * 3, "image_std": [SPREAD] * 3, "do_center_crop": False}
    (base["vision"] / "preprocessor_config.json").write_text(json.dumps(pictures, indent=1) + "\n", "utf-8")
    speaker.language.to(torch.bfloat16).save_pretrained(base["language"])
    speaker.tokenizer.save_pretrained(base["language"])
    told = json.loads((folder / bundle.FILE).read_text("utf-8"))
    told["fingerprints"] = {which: languages.fingerprint(str(place)) for which, place in base.items()}
    (folder / bundle.FILE).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return bundle.describe(folder)


def main() -> None:
    """Command line of the export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    speaker = Speaker(arguments.work, WIDTH, 0)
    speaker.load("pictures", begin=True)
    print(export(tower_of(arguments.work / "tower.pt"), speaker, arguments.folder))


if __name__ == "__main__":
    main()
