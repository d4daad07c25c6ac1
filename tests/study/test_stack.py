import math

from lvseg.errors import LabError

import pytest

from study import headers, stack
from tests.data_prep.studies import write_tree
from tests.study.made import cine, image

FOUR_BY_THREE = [[20, 15, 18]] * 4


@pytest.fixture
def choose(tmp_path):
    def choose(files, wanted=None):
        write_tree(tmp_path, files)
        return stack.choose(headers.find(str(tmp_path)).images, wanted)

    return choose


def paths(found):
    return [[one.path for one in of_slice] for of_slice in found.images]


def test_slices_go_from_base_to_apex_and_phases_by_trigger_time(choose):
    # The files are numbered the other way round: the first in name is the last in space and in time.
    files = {f'{number}{phase}.dcm': image(9, 30 - 10 * number, 2 - phase) for number in range(4) for phase in range(3)}
    found = choose(files).stack
    assert paths(found) == [[f'{number}{phase}.dcm' for phase in (2, 1, 0)] for number in (3, 2, 1, 0)]
    assert found.positions == pytest.approx([0, 10, 20, 30])
    assert (found.phases, found.spacing, found.warnings, found.left_out) == (3, 10, [], [])


def test_the_order_does_not_hang_on_which_way_the_normal_points(choose):
    # Columns to the head turn the normal round, to the back.
    found = choose(cine(FOUR_BY_THREE, ImageOrientationPatient=[1, 0, 0, 0, 0, 1])).stack
    assert [of_slice[0].path for of_slice in found.images] == ['00-00.dcm', '01-00.dcm', '02-00.dcm', '03-00.dcm']


def test_phases_are_matched_by_rank_though_each_slice_has_a_heart_rate_of_its_own(choose):
    files = {
        f'{number}-{phase}.dcm': image(9, 10 * number, phase, TriggerTime=(50 + 7 * number) * phase)
        for number in range(3)
        for phase in range(4)
    }
    found = choose(files).stack
    assert paths(found) == [[f'{number}-{phase}.dcm' for phase in range(4)] for number in range(3)]
    assert found.warnings == []


def test_without_trigger_times_phases_go_by_the_number_of_the_image(choose):
    found = choose(cine(FOUR_BY_THREE, TriggerTime=None)).stack
    assert paths(found)[0] == ['00-00.dcm', '00-01.dcm', '00-02.dcm']


def test_the_series_of_most_parallel_slices_is_the_short_axis_cine(choose):
    long_axis = {
        f'long/{name}': content
        for name, content in cine(
            [[9] * 5] * 2, SeriesInstanceUID='1.2.840.1.2', SeriesNumber=3, ImageOrientationPatient=[0, 1, 0, 0, 0, -1]
        ).items()
    }
    found = choose({**long_axis, **cine(FOUR_BY_THREE)})
    assert found.series_number == 7
    assert found.why == 'Series 7: 4 parallel slices x 3 phases, the most slices of 2 series.'


def test_a_series_is_taken_by_its_number(choose):
    other = {f'b/{name}': file for name, file in cine([[9] * 2], SeriesInstanceUID='1.2.840.9', SeriesNumber=3).items()}
    assert choose({**other, **cine(FOUR_BY_THREE)}, wanted=3).why == (
        'Series 3: 1 parallel slice x 2 phases, the one that was asked for.'
    )


def test_a_series_that_is_not_there_is_answered_with_those_that_are(choose):
    with pytest.raises(LabError, match='no series 4 in the study. Give --series one of: 7'):
        choose(cine(FOUR_BY_THREE), wanted=4)


def test_a_study_without_cine_is_refused(choose):
    with pytest.raises(LabError, match='no short-axis cine in the study.* Its series are: 7'):
        choose(cine([[9], [9]]))


def test_one_phase_of_many_slices_is_a_stack(choose):
    assert choose(cine([[9]] * 5)).stack.phases == 1


def test_a_localizer_among_the_images_is_left_out(choose):
    localizer = {'localizer.dcm': image(9, 0, 0, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])}
    found = choose({**cine(FOUR_BY_THREE), **localizer}).stack
    assert found.left_out == ['localizer.dcm']
    assert found.warnings == ['1 image of another size, spacing or direction: left out.']


@pytest.mark.parametrize('other', [{'PixelSpacing': [3, 3]}, {'Rows': 128, 'PixelData': bytes(128 * 256 * 2)}])
def test_images_of_another_spacing_or_size_are_left_out(choose, other):
    found = choose({**cine(FOUR_BY_THREE), 'other.dcm': image(9, 40, 0, **other)}).stack
    assert found.left_out == ['other.dcm']


def test_a_doubled_phase_is_taken_once(choose):
    found = choose({**cine(FOUR_BY_THREE), 'again.dcm': image(9, 10, 1, InstanceNumber=999)}).stack
    assert found.left_out == ['again.dcm']
    assert found.warnings == ['1 image at 10 mm is there twice: the first is taken.']
    assert found.phases == 3


def test_a_study_that_is_there_twice_is_told_in_one_line(choose):
    again = {f'again/{name}': file for name, file in cine(FOUR_BY_THREE).items()}
    found = choose({**cine(FOUR_BY_THREE), **again}).stack
    assert found.warnings == ['12 images at 0, 10, 20, 30 mm are there twice: the first is taken.']
    assert sorted(found.left_out) == sorted(again)


def test_a_slice_without_one_of_its_phases_is_matched_by_its_share_of_the_heartbeat(choose):
    files = cine([[9] * 4] * 3)
    del files['01-03.dcm']
    found = choose(files).stack
    # 3 images for 4 phases: phase p is image 3 p // 4, so 0, 0, 1 and 2.
    assert paths(found)[1] == ['01-00.dcm', '01-00.dcm', '01-01.dcm', '01-02.dcm']
    assert found.warnings == [
        'The slice at 10 mm has 3 phases, not 4: they are matched by their share of the heartbeat.'
    ]


def test_a_slice_with_hardly_any_phases_is_left_out(choose):
    files = {name: file for name, file in cine([[9] * 4] * 4).items() if not name.startswith('03') or '-00' in name}
    found = choose(files).stack
    assert (len(found.images), found.left_out) == (3, ['03-00.dcm'])
    assert found.warnings == ['The slice at 30 mm has 1 phases of 4: left out.']


def test_a_missing_slice_is_said(choose):
    files = {name: file for name, file in cine([[9] * 2] * 5).items() if not name.startswith('02')}
    found = choose(files).stack
    assert found.warnings == ['The slices are 10.0 to 20.0 mm apart: each stands for half the way to its neighbours.']


def test_a_single_slice_has_the_spacing_that_its_file_tells(choose):
    assert choose(cine([[9, 8]])).stack.spacing == 10


def test_a_single_slice_that_tells_nothing_has_none(choose):
    assert math.isnan(choose(cine([[9, 8]], SpacingBetweenSlices=None)).stack.spacing)
