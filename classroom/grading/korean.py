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
    'expression.right': '{name}: 맞았습니다.',
    'expression.open': '{name}가 아직 비어 있습니다(FIXME).',
    'expression.wrong': '{name}가 하는 일이 다릅니다. {said}',
    'expression.wrong_together': '{name}, 또는 이 함수의 다른 빈칸이 하는 일이 다릅니다.',
    'expression.waiting': '이 함수의 다른 빈칸이 비어 있는 동안에는 {name}가 맞는지 알 수 없습니다.',
    'expression.missing': '{name}가 더는 없고, 함수가 실습의 것과 다른 일을 합니다.',
    'expression.between': '{name}의 문제는 아닙니다. 빈칸을 모두 바르게 채워도 함수가 실습의 것과 다른 일을 합니다. '
    '{said}빈칸 둘레를 원래대로 되돌리십시오.',
    'expression.not_reached': '프로그램을 실행할 수 없어 {name}를 시험하지 못했습니다.',
    'inference.W_fc.wanted': '이 행렬은 모든 화소의 행을 은닉 유닛마다 수 하나로 바꿉니다.',
    'inference.W_fc.hint': '수가 n개인 행에 n행 m열 행렬을 곱하면 수가 m개인 행이 됩니다.',
    'inference.W_fc.stronger_hint': 'flatten1_op이 그 행이고, 길이는 아래의 reshape에 있습니다. '
    'h_fc1은 수가 몇 개여야 합니까?',
    'inference.W_fc2.wanted': '이 행렬은 은닉 유닛의 수들을 화소마다 클래스마다 점수 하나로 바꿉니다.',
    'inference.W_fc2.hint': '행의 수는 곱해지는 h_fc1의 열의 수와 맞아야 합니다.',
    'inference.W_fc2.stronger_hint': 'h_fc2는 아래에서 높이 x 너비 x 클래스로 모양이 바뀝니다. '
    '그만큼의 수가 한 행으로 나와야 합니다.',
    'evaluation.divs.wanted': 'indices와 모양이 같은 정수(int32)로, 두 마스크가 모두 1이면 1, 아니면 0이어야 합니다.',
    'evaluation.divs.hint': 'sum_tensor는 0, 1, 2 가운데 하나입니다. 각각의 절반을 내림하면 얼마입니까?',
    'evaluation.divs.stronger_hint': '윗줄에 2로 채운 텐서가 있고, tf.floordiv는 나누어 내림합니다. '
    '두 마스크를 직접 쓰는 방법도 있습니다.',
    'dice.metric.wanted': '두 영역이 같은 화소이면 1, 공통된 화소가 없으면 0입니다.',
    'dice.metric.hint': '공식은 Dice 지표를 다루는 장의 첫머리에 있습니다. 세 인수 가운데 어느 것이 I, L, P입니까?',
    'dice.metric.stronger_hint': '손으로 해 보십시오. 화소 40개와 60개인 영역이 30개를 공유하면 Dice는 0.6입니다.',
    'no_network.return.wanted': '화소마다 점수가 둘인 [batch, 256, 256, 2]이고, 배경의 점수가 더 높아야 합니다.',
    'no_network.return.hint': 'tf.ones_like(images)에는 화소마다 수가 하나 있습니다. 둘이 필요합니다.',
    'no_network.return.stronger_hint': 'tf.stack은 모양이 같은 텐서를 새 축(마지막 축)을 따라 나란히 놓습니다. '
    '클래스 0, 곧 배경이 먼저입니다.',
    'per_image.mean, variance.wanted': '이미지마다 높이와 너비에 걸친 평균과 분산이 따로 있어야 합니다.',
    'per_image.mean, variance.hint': 'images는 [batch, height, width]입니다. 지정한 축은 평균 속으로 사라집니다.',
    'per_image.mean, variance.stronger_hint': '축은 0부터 세고 0은 배치입니다. 배치는 남아야 합니다.',
    'per_image.return.wanted': '이미지마다 평균은 0, 표준편차는 1이어야 합니다.',
    'per_image.return.hint': '먼저 평균을 0으로, 다음에 퍼진 정도를 1로 맞춥니다.',
    'per_image.return.stronger_hint': '표준편차는 분산의 제곱근(tf.sqrt)입니다.',
    'soft_dice.dice.wanted': '0과 1의 마스크 대신 확률로 구한 단면마다의 Dice [batch]이고, '
    '분자와 분모에 1(화소)을 더합니다.',
    'soft_dice.dice.hint': 'area()는 확률로 된 마스크도 더합니다. 교집합의 마스크는 무엇입니까?',
    'soft_dice.dice.stronger_hint': '두 마스크의 곱은 둘 다 1인 곳에서 1입니다. 공식은 Dice 지표와 같고, '
    '1화소를 분자와 분모에 한 번씩 더합니다.',
    'soft_dice.return.wanted': '모든 단면에 대한 수 하나로, 잘 맞을수록 작고 가장 좋을 때 0입니다.',
    'soft_dice.return.hint': 'dice에는 단면마다 수가 하나 있습니다. 가장 좋으면 1, 가장 나쁘면 0입니다.',
    'soft_dice.return.stronger_hint': 'tf.reduce_mean이 수 하나로 만듭니다. 가장 좋은 값과 얼마나 떨어져 있습니까?',
    'warmup.rise.wanted': '학습의 20분의 1이 지나면 1이 되도록 고르게 올라가고, 첫걸음은 0이 아니어야 합니다.',
    'warmup.rise.hint': 'done은 지나간 몫으로, 첫 단계에서는 0입니다. 한 단계의 몫을 더하십시오.',
    'warmup.rise.stronger_hint': '그 합은 다 올랐을 때 20분의 1입니다. 거기서 1이 되려면 무엇으로 나누어야 합니까? '
    '그 뒤의 값은 상관없습니다.',
    'warmup.fall.wanted': '코사인의 반입니다(원주율은 np.pi). 학습의 처음에 1, 가운데에 1/2, 끝에 0입니다.',
    'warmup.fall.hint': 'tf.cos는 각이 0에서 pi로 가는 동안 1에서 -1로 갑니다. done에 맞는 각은 무엇입니까?',
    'warmup.fall.stronger_hint': '1을 더해 반으로 나누면 1에서 -1이 1에서 0이 됩니다.',
    'augment.labels.wanted': '정답은 이미지를 따라가며, uint8의 0 또는 1로 남아야 합니다.',
    'augment.labels.hint': '정답에는 0과 1 사이의 값이 없습니다. '
    '아래의 두 함수 가운데 있는 값만 쓰는 것은 어느 것입니까?',
    'augment.labels.stronger_hint': '이미지를 가져온 자리와 같은 자리입니다.',
    'turned.return.wanted': '행과 열, 두 가지입니다. 자리마다 중심에서의 거리는 그대로이고, 방향만 그 각만큼 다르며, '
    '뒤집히지 않아야 합니다.',
    'turned.return.hint': 'x, y를 각 a만큼 돌리면 x cos a - y sin a와 x sin a + y cos a가 됩니다.',
    'turned.return.stronger_hint': '두 결과 모두 행과 열을 함께 씁니다. '
    '각이 0이면(코사인 1, 사인 0) 행은 행, 열은 열로 남고, '
    '두 사인 가운데 하나에 빼기가 붙습니다.',
    'up.enlarged.wanted': '출력의 높이와 너비가 입력의 두 배여야 합니다.',
    'up.enlarged.hint': '전치 합성곱은 수마다 조각을 그리고, 조각은 스트라이드만큼 떨어져 있습니다.',
    'up.enlarged.stronger_hint': '실습의 신경망에서 upscore는 스트라이드 16으로 16곳을 화소 256개로 만듭니다.',
    'up.return.wanted': '확대한 모든 채널과, 내려가며 이 크기에서 본 모든 채널을 나란히 놓아야 합니다.',
    'up.return.hint': '둘은 높이와 너비가 같습니다. tf.concat은 텐서를 한 축을 따라 이어 놓습니다.',
    'up.return.stronger_hint': '모양은 [batch, height, width, channels]입니다. 어느 축이 길어집니까?',
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
    'python.name': '정의되지 않은 이름이 있습니다. 이름을 먼저 정의하거나 불러오십시오.',
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
