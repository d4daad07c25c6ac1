# The set-up: run this cell first. On a hosted notebook it fetches the lab and TensorFlow 2, some 700 MB.
import importlib.util
import os
import pathlib
import subprocess
import sys

ADDRESS = ''  # Of the lab's repository, for where neither the lab nor its archive is.

here = pathlib.Path.cwd()
lab = next((folder for folder in (here, *here.parents) if (folder / 'lvseg').is_dir()), here / 'ImageSegmentation')
if not lab.exists():
    archive = here / 'ImageSegmentation.tar.gz'  # As make archive makes it.
    if not archive.exists() and not ADDRESS:
        raise SystemExit(f'The lab is not here. Put {archive.name} beside this notebook, and run this cell again.')
    fetch = ['tar', '-xzf', archive.name] if archive.exists() else ['git', 'clone', '--quiet', ADDRESS, lab.name]
    subprocess.run(fetch, check=True)
os.chdir(str(lab))

if importlib.util.find_spec('pydicom') is None:  # So this is not the lab's own Python: install what it needs.
    needed = subprocess.check_output([sys.executable, 'setup/editions.py', '2'], universal_newlines=True).strip()
    subprocess.run([sys.executable, '-m', 'pip', 'install', '--quiet', '-r', needed], check=True)
sys.path.insert(0, str(lab))
get_ipython().run_line_magic('load_ext', 'notebooks.magics')
