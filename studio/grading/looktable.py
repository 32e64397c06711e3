"""The looks the studio knows: what each does to a picture, and the phrases it answers to.

Strengths are a colourist's: a full-strength look is plainly visible and still printable. The
first phrase of a look is its name.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from studio.grading.looktransform import hue_axis, vector


@dataclass(frozen=True)
class Look:
    """A named grade.

    ``parameters`` has shape (PARAMETER_COUNT,); ``phrases`` are lower case, the name first.
    """

    name: str
    phrases: tuple[str, ...]
    parameters: Tensor


def _look(phrases: str, **parameters: float) -> Look:
    spoken = tuple(phrase.strip() for phrase in phrases.split(","))
    return Look(spoken[0], spoken, vector(**parameters))


LOOKS: tuple[Look, ...] = (
    _look(
        "warm, warm tones, warmer, warm and cozy, toasty, toasty warm, cosy, cozy, warmth,"
        " fireside, sun warmed, warm light, comforting, homely, heated, tungsten warmth,"
        " tungsten, warm white balance, warm colors, hot",
        temperature=0.38, middle_b=0.01,
    ),
    _look(
        "cool, cool tones, cooler, cold, cold blue, chilly, chilly cool, coldness, cool light,"
        " cool white balance, cold tones, clinical, sterile, chill, cool colors, steely, steel,"
        " crisp cold, fluorescent cold, aloof",
        temperature=-0.38, middle_b=-0.01,
    ),
    _look(
        "golden hour, warm golden hour, golden light, golden glow, honey, honey golden,"
        " magic hour, late afternoon sun, golden, golden afternoon, sunlit, sun kissed, low sun,"
        " evening sun, honeyed light, gold, glowing gold, warm evening light, sunbathed",
        temperature=0.45, exposure=0.1, highlight_a=0.02, highlight_b=0.05, saturation=0.15,
        contrast=-0.05, black=0.02,
    ),
    _look(
        "sunset, sunset glow, fiery sunset, orange pink sunset, dusk sunset, setting sun,"
        " afterglow, tropical sunset, red sky, burning sky, miami sunset, california sunset,"
        " sunset sky, fiery, blazing, ablaze",
        temperature=0.4, tint=0.35, shadow_a=0.02, shadow_b=-0.02, highlight_a=0.05,
        highlight_b=0.04, saturation=0.25, contrast=0.1,
    ),
    _look(
        "teal and orange, teal orange, orange and teal, blockbuster, hollywood teal orange,"
        " hollywood blockbuster, action movie, teal shadows orange highlights, michael bay,"
        " summer blockbuster, complementary colors, orange skin teal shadows, transformers,"
        " mad max, teal shadows and orange skin, trailer",
        shadow_a=-0.06, shadow_b=-0.04, highlight_a=0.035, highlight_b=0.05, contrast=0.15,
        saturation=0.12, **hue_axis(0.5, 60),
    ),
    _look(
        "cinematic, filmic, movie look, hollywood, big screen, cinematic color, feature film,"
        " film look, motion picture, cinema, film print, cinematic film, movie still",
        shadow_a=-0.025, shadow_b=-0.02, highlight_a=0.012, highlight_b=0.025, contrast=0.22,
        saturation=-0.08, gamma=-0.08, white=-0.02,
    ),
    _look(
        "bleach bypass, skip bleach, silver retention, gritty war film, gritty, war movie,"
        " saving private ryan, silvery gritty, harsh desaturated, bleached, battlefield, grit,"
        " hard silver, metallic, combat, raw, harsh",
        saturation=-0.6, contrast=0.5, gamma=-0.05,
    ),
    _look(
        "faded film, vintage faded film, vintage, faded vintage, old faded photo, washed out,"
        " washed out film, faded, aged photo, old photograph, expired film, worn, antique print,"
        " fading memory, polaroid, old polaroid, dusty old photo, time worn, aged, analog",
        black=0.12, white=-0.08, saturation=-0.3, temperature=0.15, contrast=-0.25,
        shadow_b=-0.015, highlight_b=0.03,
    ),
    _look(
        "noir, noir black and white, film noir, dramatic black and white, detective,"
        " high contrast monochrome, high contrast black and white, contrasty black and white,"
        " hard black and white, classic noir, private eye, sin city, dark black and white,"
        " harsh monochrome, gangster, femme fatale, crime",
        saturation=-1.0, contrast=0.55, gamma=-0.15,
    ),
    _look(
        "black and white, monochrome, grayscale, greyscale, bw, b w, classic black and white,"
        " no color, without color, silver gelatin, gray tones, monochromatic, black white,"
        " ansel adams, gray, grey, newspaper, ashen, silent film, charcoal sketch",
        saturation=-1.0,
    ),
    _look(
        "sepia, sepia tone, antique sepia, brown monochrome, old western, old western sepia,"
        " victorian, antique, nineteenth century, tintype, sepia toned, brown toned, saloon,"
        " wild west, wanted poster, parchment, old west, ancestral, heirloom, frontier",
        saturation=-0.95, middle_a=0.02, middle_b=0.06,
    ),
    _look(
        "high contrast, contrasty, punchy contrast, strong contrast, more contrast, punchy,"
        " hard contrast, bold contrast, crisp contrast, increased contrast, contrast boost,"
        " deep contrast, snappy, punch, sharp contrast, dramatic contrast, dramatic, hard light",
        contrast=0.6,
    ),
    _look(
        "low contrast, flat, soft contrast, less contrast, flat log, log footage, soft light,"
        " reduced contrast, gentle contrast, flat profile, even tones, flattened, softened,"
        " overcast light, soft, diffuse, weak contrast, mellow",
        contrast=-0.55,
    ),
    _look(
        "moody dark, moody, dark and moody, gloomy, brooding dark, brooding, gloom, ominous,"
        " foreboding, dark drama, sinister mood, depressing, grim, sad, sorrow, bleak mood,"
        " sullen, gothic, sadness, despair, dismal, mournful, dark atmosphere, tense",
        exposure=-0.7, saturation=-0.25, contrast=0.2, shadow_a=-0.005, shadow_b=-0.015,
    ),
    _look(
        "bright airy, bright and airy, airy, light and airy, ethereal light, ethereal, angelic,"
        " light airy, wedding, breezy, weightless, heavenly, fresh airy, clean bright, delicate,"
        " fresh, light, scandinavian, innocent, open and light",
        exposure=0.5, contrast=-0.3, black=0.06, saturation=-0.1,
    ),
    _look(
        "vibrant, vivid, saturated, colorful, colourful, rich saturated colors, vivid colors,"
        " lively, vibrant colors, intense colors, rich colors, bold colors, saturated colors,"
        " more saturation, more color, boosted saturation, velvia, carnival, joyful, cheerful,"
        " exuberant, festive, energetic, rainbow, playful",
        saturation=0.75,
    ),
    _look(
        "muted, desaturated, muted colors, subdued, muted desaturated, less saturation,"
        " less color, restrained, soft muted, low saturation, toned down, quiet colors,"
        " understated, reserved, dull colors, restrained palette, sober, minimal, modest, drained",
        saturation=-0.5,
    ),
    _look(
        "cross process, cross processed, xpro, lomo, lomography, cross processing,"
        " slide film in wrong chemistry, toy camera, e6 in c41, holga, cross processed film,"
        " experimental film, hipster, indie film, grunge",
        contrast_red=0.45, contrast_green=0.25, contrast_blue=-0.45, saturation=0.25,
        highlight_a=-0.01, highlight_b=0.05, shadow_a=-0.01, shadow_b=-0.04,
    ),
    _look(
        "moonlight night, moonlight, night, day for night, moonlit night, moonlit, midnight,"
        " american night, night time, lunar, moon, silver moonlight, nightfall, dark blue night,"
        " starlight, after midnight, nighttime, night scene, full moon",
        exposure=-0.9, temperature=-0.5, saturation=-0.45, middle_b=-0.03,
    ),
    _look(
        "forest green, green tint, green, woodland green, mossy green, forest, woodland, moss,"
        " jungle, lush, rainforest, greenery, foliage, fern, greenish, emerald, leaf green,"
        " green tones, woods, meadow, grass green",
        middle_a=-0.05, middle_b=0.025, shadow_a=-0.02, shadow_b=0.01,
    ),
    _look(
        "rose, rose pink, pink, pink tint, blush rose, blush, pinkish, rosy, cherry blossom,"
        " bubblegum, magenta tint, magenta, pink tones, flamingo, peony, valentine, sakura, salmon",
        middle_a=0.055, middle_b=0.005,
    ),
    _look(
        "matte, matte finish, lifted blacks, matte film, lifted shadows, milky blacks, matte look,"
        " matt, raised blacks, soft matte, milky, milky shadows, faded blacks, flat matte",
        black=0.11, contrast=-0.15, white=-0.03,
    ),
    _look(
        "cyberpunk neon, cyberpunk, neon, neon city, synthwave neon, synthwave, neon lights,"
        " vaporwave, neon noir, neon tokyo, blade runner, nightclub, electric, futuristic neon,"
        " futuristic, neon night, retrowave, arcade, tokyo, disco, sci fi, akira",
        shadow_a=-0.02, shadow_b=-0.08, highlight_a=0.07, highlight_b=-0.05, saturation=0.5,
        contrast=0.3, exposure=-0.15,
    ),
    _look(
        "lavender, purple, violet, purple tint, lavender purple, purple haze, purplish, orchid,"
        " wisteria, iris, royal purple, grape, plum purple, violet tones, purple tones, magic",
        middle_a=0.03, middle_b=-0.05,
    ),
    _look(
        "teal, teal tint, cyan, aqua, ocean teal, cyan tint, ocean, lagoon, seaside, teal tones,"
        " aquamarine, blue green, bluish green, teal wash, cyan tones, maritime",
        middle_a=-0.05, middle_b=-0.025,
    ),
    _look(
        "matrix green, the matrix, hacker green, matrix, hacker, green code, computer terminal,"
        " digital green, night vision, toxic green, toxic, radioactive, acid green, fincher,"
        " surveillance",
        middle_a=-0.06, middle_b=0.03, contrast=0.3, exposure=-0.2, saturation=-0.2,
    ),
    _look(
        "amber, orange tint, orange, desert amber, desert, sahara, arabian, whiskey, copper,"
        " orange tones, sand dunes, dunes, arid heat, arizona, sodium light, sodium vapor,"
        " apricot, pumpkin, arrakis, burnt orange, bronze, sandy, marmalade",
        middle_a=0.03, middle_b=0.075,
    ),
    _look(
        "autumn, fall colors, autumn colors, rustic autumn, autumnal, fall, autumn leaves,"
        " october, rustic, thanksgiving, november forest, fallen leaves, rust, rusty, russet,"
        " earthy, maple leaves, earth tones, september",
        temperature=0.25, saturation=0.2, hue=-0.15, middle_a=0.02, middle_b=0.025, contrast=0.05,
    ),
    _look(
        "winter, icy, arctic, frozen winter, icy winter, frozen, snow, ice, polar, january,"
        " scandinavian winter, frost, wintry, christmas morning snow, siberia, nordic, alaska,"
        " iceland, antarctic, ice cold, blizzard, freezing",
        temperature=-0.3, saturation=-0.35, exposure=0.25, highlight_b=-0.02,
    ),
    _look(
        "pastel, soft pastel, pastel colors, candy pastel, pastel tones, wes anderson, macaron,"
        " cotton candy, baby colors, pastel dream, marshmallow, sorbet, easter, sugar, creamy,"
        " ice cream, light pastel, sherbet",
        saturation=-0.3, contrast=-0.35, exposure=0.35, black=0.08,
    ),
    _look(
        "dark, underexposed, darker, low key, dim, darkened, darkness, dimmed, low light,"
        " lower exposure, less light, less exposure, under exposed, dimly lit, unlit, candleless",
        exposure=-0.8,
    ),
    _look(
        "bright, overexposed, brighter, high key, brightened, brightness, more light, well lit,"
        " higher exposure, more exposure, over exposed, lightened, illuminated, shining, dazzling,"
        " blown out, strong daylight, full of light",
        exposure=0.65,
    ),
    _look(
        "crushed blacks, deep blacks, inky blacks, deep inky shadows, crushed shadows, inky,"
        " rich blacks, black shadows, deep shadows, dense blacks, crushed, solid blacks, ink,"
        " heavy shadows, pitch black shadows",
        black=-0.12, contrast=0.15,
    ),
    _look(
        "technicolor, classic technicolor, bold technicolor, three strip, three strip technicolor,"
        " wizard of oz, old hollywood color, golden age musical, musical, comic book, pop art,"
        " bollywood, fifties musical, cartoon, circus, kodachrome",
        saturation=0.8, contrast=0.25, temperature=0.1,
    ),
    _look(
        "retro 70s, retro, seventies, 70s film, kodak retro, 1970s, seventies film, vinyl record,"
        " seventies kodak, retro film, kodak gold, old school, super 8, hippie, woodstock,"
        " kodak, grandpa slides, throwback, bell bottoms",
        temperature=0.28, contrast=0.1, saturation=-0.05, shadow_a=0.01, shadow_b=0.02, black=0.06,
        highlight_a=0.01, highlight_b=0.05,
    ),
    _look(
        "horror, horror movie, sickly horror, eerie, scary, haunted, haunted house, sickly, ill,"
        " zombie, nightmare, terrifying, ghostly, spooky, halloween, evil, disturbing, asylum,"
        " sickness, terror, decay, cursed, poison, fear",
        saturation=-0.45, middle_a=-0.025, middle_b=0.01, exposure=-0.45, contrast=0.3,
    ),
    _look(
        "dreamy, dreamy romance, romantic, soft romantic, romance, dream, dreamlike, love story,"
        " tender, old love letters, sweet, soft focus romance, first love, fantasy, enchanted,"
        " sentimental, affectionate, poetic, loving, soft dreamy, gentle romance, bridal",
        exposure=0.2, contrast=-0.25, middle_a=0.025, middle_b=0.01, black=0.06, saturation=-0.05,
    ),
    _look(
        "blue hour, twilight, blue twilight, blue dusk, dusk, early evening, after sunset blue,"
        " evening blue, before dawn, predawn, late dusk, evening, blue evening, crepuscular",
        middle_a=0.005, middle_b=-0.06, exposure=-0.35,
    ),
    _look(
        "blue, blue tint, navy, azure, bluish, blue tones, blue wash, sky blue, deep blue, denim,"
        " royal blue, indigo blue, ultramarine, blue cast, midnight blue, baltic",
        middle_a=-0.005, middle_b=-0.065,
    ),
    _look(
        "cyanotype, blueprint, blue monochrome, prussian blue print, blue toned monochrome, delft,"
        " blue and white print, sun print, blue toned black and white, anna atkins, cyan monochrome",
        saturation=-0.95, middle_a=-0.025, middle_b=-0.07,
    ),
    _look(
        "mustard, yellow, yellow tint, mustard yellow, yellowish, yellow tones, sunflower, saffron,"
        " yellow cast, canary, banana, mexico, mexican filter, curry, sulfur, dandelion, corn",
        middle_a=-0.005, middle_b=0.08,
    ),
    _look(
        "crimson, red, red tint, blood red, reddish, red tones, blood, darkroom red, cherry red,"
        " bloody, red wash, wine, rage, anger, hell, lava, mars, cherry, vampire, passion, furious",
        middle_a=0.08, middle_b=0.03,
    ),
    _look(
        "coffee, brown, brown tint, chocolate brown, chocolate, brownish, brown tones, espresso,"
        " mahogany, walnut, leather, cocoa, cinnamon brown, wooden, oak, tobacco, hazelnut, soil",
        middle_a=0.02, middle_b=0.035, saturation=-0.3, exposure=-0.15,
    ),
    _look(
        "summer, sunny summer, sunny, bright summer, beach day, summer vacation, sunshine, beach,"
        " july, holiday, summertime, summery, midsummer, hot summer day, riviera, italian summer,"
        " hawaii, mediterranean, august, vacation, happy, lemonade",
        temperature=0.2, saturation=0.4, exposure=0.28,
    ),
    _look(
        "post apocalyptic, apocalyptic, dusty wasteland, wasteland, dystopian desert, dystopian,"
        " dystopia, ruined world, fallout, nuclear wasteland, doomsday, end of the world, dusty,"
        " dust bowl, ruins, abandoned, desolate, apocalypse, drought, armageddon, dust",
        saturation=-0.4, temperature=0.3, contrast=0.35, middle_a=0.005, middle_b=0.03, exposure=-0.1,
    ),
    _look(
        "candlelight, candle lit, candlelit, by candlelight, tavern, medieval tavern, campfire,"
        " fireplace, lantern light, firelight, torchlight, barry lyndon, lamplight, oil lamp, hearth,"
        " cabin at night, rembrandt, caravaggio, old master painting, ember, glowing embers, intimate",
        exposure=-0.45, temperature=0.55, contrast=0.15, highlight_a=0.015, highlight_b=0.04,
    ),
    _look(
        "foggy, fog, misty, mist, hazy, haze, foggy morning, misty morning, london fog, smoky, veiled,"
        " cloudy, cloud, overcast, smog, san francisco fog, drizzle, vapor, obscured, silent hill",
        contrast=-0.5, black=0.14, saturation=-0.4, exposure=0.12, middle_b=-0.012,
    ),
    _look(
        "rainy, rain, rainy day, cold rainy street, seattle rain, wet streets, rainstorm, stormy,"
        " storm, thunderstorm, rainy city, wet asphalt, nordic noir, scandinavian crime, monsoon,"
        " tempest, downpour, thunder, november, lonely, loneliness, solitude",
        exposure=-0.35, temperature=-0.22, saturation=-0.35, contrast=0.1, middle_a=-0.012,
        middle_b=-0.015,
    ),
    _look(
        "underwater, deep sea, submerged, deep ocean, aquarium, under the sea, scuba, diving, abyss,"
        " undersea, atlantis, shipwreck, coral reef depths, subaquatic, submarine, mermaid",
        middle_a=-0.06, middle_b=-0.055, exposure=-0.3, contrast=-0.2, temperature=-0.15,
    ),
    _look(
        "spring, springtime, april, spring morning, spring garden, fresh spring, budding, may, growth,"
        " spring green, easter meadow, new leaves, blossoming, bloom, blooming, hopeful, hope, youth",
        exposure=0.25, saturation=0.2, middle_a=-0.022, middle_b=0.025, contrast=-0.1,
    ),
    _look(
        "portra, kodak portra, portrait film, portra 400, creamy skin tones, soft warm film, fuji 400h,"
        " natural film, soft analog film, portra film, peaches and cream, peach, peachy, skin friendly",
        temperature=0.14, contrast=-0.2, exposure=0.15, saturation=-0.06, black=0.035, highlight_a=0.012,
        highlight_b=0.015, middle_a=0.008,
    ),
)  # fmt: skip
