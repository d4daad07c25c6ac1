from xml.etree import ElementTree

from docs.figures.svg import Svg

_NAMES = {'svg': 'http://www.w3.org/2000/svg'}


def test_a_drawing_has_no_size_of_its_own_so_that_it_becomes_as_wide_as_the_page():
    root = ElementTree.fromstring(Svg(80, 60).text_of_file().encode())
    assert 'width' not in root.attrib and 'height' not in root.attrib
    assert [float(value) for value in root.get('viewBox').split()] == [0, 0, 80, 60]


def test_a_drawing_is_white_behind_all_else():
    svg = Svg(80, 60)
    svg.text(1, 2, 'words')
    first = next(
        child for child in ElementTree.fromstring(svg.text_of_file().encode()) if not child.tag.endswith('defs')
    )
    assert first.get('fill') == 'white'
    assert (float(first.get('width')), float(first.get('height'))) == (80, 60)


def test_words_with_signs_that_xml_means_otherwise_are_shown_as_they_stand():
    svg = Svg(80, 60)
    svg.text(1, 2, 'a < b & "c" > ×')
    assert ElementTree.fromstring(svg.text_of_file().encode()).find('svg:text', _NAMES).text == 'a < b & "c" > ×'


def test_places_are_rounded_to_hundredths_so_that_a_last_digit_changes_no_file():
    one, other = Svg(80, 60), Svg(80, 60)
    one.line([(1 / 3, 2), (5, 6)])
    other.line([(1 / 3 + 1e-9, 2), (5 - 1e-9, 6)])
    assert one.text_of_file() == other.text_of_file()
