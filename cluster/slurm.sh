#!/bin/bash
# Trains by several tasks of Slurm: sbatch --ntasks=5 cluster/slurm.sh cnnDice --batch_size 8 --num_epochs 50
# Of five tasks four train, and the last one holds the weights. Tried with invented variables only, on no cluster.
# The runtime has no authentication: only the nodes, and no other user of them, may reach ports 20000 to 40099.
#SBATCH --job-name=lvseg
#SBATCH --cpus-per-task=4
#SBATCH --signal=TERM@60
set -eu
cd "$SLURM_SUBMIT_DIR"
exercise=$1
shift
export LAB_THREADS=$SLURM_CPUS_PER_TASK
# The signal a minute before the time is up: all end after the step, with a checkpoint. --resume goes on from it.
srun --kill-on-bad-exit=0 bash -c '
    export TF_CONFIG="$(.venv/bin/python -m cluster.slurm)"
    exec .venv/bin/python "exercise_solutions/$0/runTraining.py" "$@"
' "$exercise" "$@"
