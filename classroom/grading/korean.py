"""The checker's texts in Korean, by code; what a code shows comes from the English text's message."""

import string
from typing import Set

from classroom.texts import Message

_KOREAN = {
    'right': '{layer}의 {name}: 맞았습니다.',
    'kernel_size.open': 'kernel_size가 아직 비어 있습니다(FIXME). {layer}의 커널은 안내서의 구조표에 있습니다.',
    'kernel_size.wrong': 'kernel_size로 만든 가중치는 {found.weights}입니다. '
    '안내서의 구조표에서 {layer}의 커널은 다릅니다.',
    'pool_size.open': 'pool_size가 아직 비어 있습니다(FIXME). {layer}의 창은 안내서의 구조표에 있습니다.',
    'pool_size.wrong': 'pool_size로 만든 창은 {found.window}입니다. 안내서의 구조표에서 {layer}의 창은 다릅니다.',
    'strides.open': 'strides가 아직 비어 있습니다(FIXME). 출력은 {wanted.output}이어야 합니다. '
    '스트라이드마다 높이와 너비가 그 값으로 나뉩니다.',
    'strides.wrong': 'strides로 만든 출력은 {found.output}인데, {wanted.output}이어야 합니다. '
    '스트라이드마다 높이와 너비가 그 값으로 나뉩니다.',
    'kernel_size.hint': '가중치의 모양은 (높이, 너비, 입력 채널, 필터)이고, kernel_size는 그 앞의 둘입니다.',
    'kernel_size.stronger_hint': '원하는 커널이면 {layer}의 가중치는 {wanted.weight_count:,}개입니다. '
    '높이 x 너비 x {wanted.weights[2]} x {wanted.weights[3]}이고, 높이와 너비는 같습니다.',
    'pool_size.hint': '창은 최댓값을 구하는 범위입니다. 여기서는 창들이 겹치지도 벌어지지도 않고 나란히 놓입니다.',
    'pool_size.stronger_hint': '원하는 창이면 최댓값 하나를 값 {wanted.window_area}개에서 구합니다. '
    '높이와 너비는 같습니다.',
    'strides.hint': "padding='same'이면 출력의 높이는 "
    '입력의 높이를 스트라이드로 나누어 올림한 값이고, 너비도 마찬가지입니다.',
    'strides.stronger_hint': '{layer}의 입력은 {wanted.input}입니다. '
    '{wanted.input[1]}을 어떤 스트라이드로 나누면 {wanted.output[1]}이 됩니까?',
    'value.text': '{name}에 글자 {value!r}가 들어 있습니다. 따옴표 없이 숫자를 쓰십시오.',
    'value.count': '{name}에는 [높이, 너비]처럼 두 값이 필요합니다. 지금은 {count}개입니다.',
    'value.text_within': '{name} 안에 글자 {value!r}가 있습니다. 따옴표 없이 숫자를 쓰십시오.',
    'value.not_whole': '{name} 안에 {value!r}가 있습니다. 정수를 쓰십시오.',
    'value.not_positive': '{name} 안에 {value}가 있습니다. 0보다 큰 수를 쓰십시오.',
    'value.refused': 'TensorFlow가 {name}을(를) 받아들이지 않습니다: {error}',
    'layer.missing': '{layer}: {name}이(가) 있는 이 이름의 층이 없습니다. 있는 층: {found}. '
    "name='{layer}'로 되돌려 놓으십시오.",
    'layer.not_reached': '{layer}의 {name}까지 네트워크를 만들 수 없습니다.',
    'solution.used': '이 네트워크의 일부는 {folder}에서 가져온 것입니다.',
    'output.other': '{file}: {function}의 결과가 {found}입니다. {wanted}이어야 합니다.',
    'weights.new': '새 가중치: {weights}, 모양 {found}.',
    'weights.gone': '없어진 가중치: {weights}, 모양 {wanted}.',
    'weights.changed': '바뀐 가중치: {weights}의 모양이 {found}입니다. 이 실습에서는 {wanted}입니다.',
    'grade.missing': '{file}이(가) 제출물에 없습니다.',
    'grade.archive': '제출물을 풀 수 없습니다. make archive로 다시 묶어 주십시오.',
    'grade.endless': '{file}: {seconds}초가 지나도 끝나지 않았습니다. 끝나지 않는 반복문이 있습니까?',
    'grade.not_read': '{file}이(가) 채점 결과를 직접 쓰려고 했습니다. 그 내용은 점수에 들어가지 않습니다.',
    'grade.crash': '{file}이(가) 만든 그래프를 TensorFlow가 읽을 수 없습니다.',
    'grade.lab_changed': '제출물의 {files}이(가) 이 실습의 것과 다릅니다. 채점에는 실습의 것을 썼습니다.',
}

# Of what Python says, by itself or through the lab, the words stay English: they are what one looks up.
_OF_PYTHON = {
    'file.encoding': '파일이 UTF-8로 저장되지 않았습니다.',
    'file.damaged': '파일이 손상되었습니다.',
    'function.missing': '실습에서 부르는 함수가 없습니다.',
    'function.arguments': '함수가 받는 인수가 실습과 다릅니다.',
    'python.nested': '괄호가 너무 깊이 겹쳐 있습니다.',
    'python.indentation': '들여쓰기가 앞뒤 줄과 맞지 않습니다.',
    'python.syntax': '문법이 틀린 줄이 있습니다. 괄호, 쉼표나 따옴표가 빠지지 않았습니까?',
    'python.name': '정의되지 않은 이름이 있습니다. 그 자리에 숫자를 쓰거나 이름을 먼저 정의하십시오.',
    'python.module': '설치되지 않은 모듈을 불러옵니다.',
    'python.exit': '네트워크를 만들기 전에 프로그램이 끝납니다.',
    'python.endless': '끝나지 않는 반복문이 있습니까?',
    'python.error': '네트워크를 만드는 동안 오류가 났습니다.',
}


def korean(said: Message) -> str:
    """A message in Korean; one without a Korean text stays as it is."""
    if said.code in _OF_PYTHON:
        return f'{_OF_PYTHON[said.code]} ({said})'
    text = _KOREAN.get(said.code)
    if text is None or not _names(text) <= set(said.values):
        return str(said)
    return text.format(**said.values)


def _names(text: str) -> Set[str]:
    """The names of what a text shows."""
    return {field.split('.')[0].split('[')[0] for _, field, _, _ in string.Formatter().parse(text) if field}
