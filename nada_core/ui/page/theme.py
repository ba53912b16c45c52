"""Set the page's colours and type over Gradio's base theme. Gradio serves the fonts itself: nothing is fetched from elsewhere."""

from __future__ import annotations

from pathlib import Path

from gradio.themes import Base, Color
from gradio.themes.utils import fonts, sizes

from nada_core.students.web_page import MIRROR_CSS

__all__ = ["CSS_FILES", "StageTheme"]

#: One after the other: what all tabs share, then what belongs to one of them.
CSS_FILES = (*(Path(__file__).with_name(name) for name in ("app.css", "app_tabs.css")), MIRROR_CSS)

_VIOLET = Color(
    name="stage-violet",
    c50="#f5f2ff",
    c100="#ebe4ff",
    c200="#d8ccff",
    c300="#bda7ff",
    c400="#9d7dfb",
    c500="#7f56ef",
    c600="#6a3fdb",
    c700="#5830b8",
    c800="#482a93",
    c900="#3b2676",
    c950="#24154d",
)
_INK = Color(
    name="stage-ink",
    c50="#faf9fb",
    c100="#f2f0f5",
    c200="#e4e1ea",
    c300="#cbc6d5",
    c400="#9d96ad",
    c500="#746d85",
    c600="#585169",
    c700="#423c52",
    c800="#2a2537",
    c900="#1b1726",
    c950="#121019",
)


class StageTheme(Base):
    """Paint the page in ink and paper with a violet spotlight; the green of success is in the style sheet."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=_VIOLET,
            secondary_hue=_VIOLET,
            neutral_hue=_INK,
            radius_size=sizes.radius_lg,
            text_size=sizes.text_md,
            # the second face is for headings (app.css); 700 because the 600 files Gradio ships hold only part of the alphabet
            font=(
                fonts.LocalFont("IBM Plex Sans", weights=(400, 700)),
                fonts.LocalFont("Montserrat", weights=(700,)),
                "system-ui",
                "sans-serif",
            ),
            font_mono=("ui-monospace", "Consolas", "monospace"),
        )
        self.name = "stage"
        super().set(
            body_background_fill="#f6f4f9",
            body_background_fill_dark="#121019",
            body_text_color="#1b1726",
            body_text_color_dark="#ece9f3",
            body_text_color_subdued="#655e76",
            body_text_color_subdued_dark="#a59eb6",
            background_fill_primary="#ffffff",
            background_fill_primary_dark="#1b1726",
            background_fill_secondary="#f2f0f5",
            background_fill_secondary_dark="#211c2e",
            border_color_primary="#e4e1ea",
            border_color_primary_dark="#332d43",
            block_background_fill="#ffffff",
            block_background_fill_dark="#1b1726",
            block_border_width="0px",
            block_shadow="none",
            block_label_background_fill="#ffffffd9",
            block_label_background_fill_dark="#1b1726d9",
            block_label_text_color="#423c52",
            block_label_text_color_dark="#cbc6d5",
            block_label_border_width="0px",
            block_title_text_color="#2a2537",
            block_title_text_color_dark="#ece9f3",
            block_title_text_weight="600",
            block_info_text_color="#655e76",
            block_info_text_color_dark="#a59eb6",
            input_background_fill="#ffffff",
            input_background_fill_dark="#151220",
            input_border_color="#cbc6d5",
            input_border_color_dark="#423c52",
            input_border_width="1px",
            input_border_color_focus="*primary_500",
            input_border_color_focus_dark="*primary_400",
            input_shadow_focus="0 0 0 3px #7f56ef33",
            input_shadow_focus_dark="0 0 0 3px #9d7dfb40",
            button_primary_background_fill="*primary_600",
            button_primary_background_fill_hover="*primary_700",
            button_primary_background_fill_dark="*primary_500",
            button_primary_background_fill_hover_dark="*primary_600",
            button_primary_text_color="#ffffff",
            button_primary_shadow="0 6px 18px -8px #6a3fdb",
            button_primary_shadow_hover="0 8px 22px -8px #6a3fdb",
            button_secondary_shadow="none",
            button_secondary_shadow_hover="none",
            button_secondary_shadow_active="none",
            button_secondary_background_fill="#ffffff",
            button_secondary_background_fill_hover="#f5f2ff",
            button_secondary_background_fill_dark="#211c2e",
            button_secondary_background_fill_hover_dark="#2a2537",
            button_secondary_border_color="#cbc6d5",
            button_secondary_border_color_dark="#423c52",
            button_border_width="1px",
            button_large_radius="12px",
            button_large_text_weight="600",
            slider_color="*primary_500",
            slider_color_dark="*primary_400",
            link_text_color="*primary_700",
            link_text_color_dark="*primary_300",
        )
