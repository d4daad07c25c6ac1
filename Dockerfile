# The lab on TensorFlow 1.15, on the official image of Python 3.7. Untried: no Docker was at hand.
#   docker build -t lab . && docker run --rm -it lab                 (make lab, and its table)
#   docker run --rm -it -v "$PWD/exercises:/lab/exercises" lab bash   (then: source .venv/bin/activate)
FROM python:3.7
WORKDIR /lab
COPY . .
RUN make setup
CMD ["make", "lab"]
