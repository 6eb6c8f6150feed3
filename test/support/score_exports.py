"""What foreign software makes of exported models: python3 score_exports.py ROWS.json, whose models it prints scores of.

Needs onnxruntime, and pypmml or jpmml_evaluator with Java. What is not there is left out.
"""
import json
import sys

given = json.load(open(sys.argv[1]))
columns = given["columns"]
rows = len(next(iter(columns.values()))["cells"])
found = {"versions": {}, "scores": {}}


def onnx():
    import numpy as np
    import onnxruntime

    found["versions"]["onnx"] = f"onnxruntime {onnxruntime.__version__}"
    feed = {}
    for name, column in columns.items():
        if column["kind"] == "numeric":
            cells = np.array([np.nan if cell is None else cell for cell in column["cells"]], dtype=np.float64)
        else:
            cells = np.array(["" if cell is None else cell for cell in column["cells"]], dtype=object)
        feed[name] = cells.reshape(-1, 1)
    for name, file in given["onnx"].items():
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        wanted = {one.name: feed[one.name] for one in session.get_inputs()}
        found["scores"][f"{name} onnx"] = session.run(None, wanted)[0].reshape(-1).tolist()


def pmml():
    import pypmml

    found["versions"]["pmml"] = f"pypmml {getattr(pypmml, '__version__', '')}"
    for name, file in given["pmml"].items():
        model = pypmml.Model.load(file)
        scores, reasons = [], []
        for row in range(rows):
            # What is missing is not given.
            cells = {name: column["cells"][row] for name, column in columns.items() if column["cells"][row] is not None}
            said = dict(model.predict(cells))
            scores.append(said.get("points", said.get("probability")))
            reasons.append(said.get("reason 1"))
        found["scores"][f"{name} pmml"] = scores
        if reasons[0] is not None:
            found["scores"][f"{name} reasons"] = reasons
    pypmml.PMMLContext.shutdown()


for read in (onnx, pmml):
    try:
        read()
    except (ImportError, FileNotFoundError, OSError) as error:
        print(f"{read.__name__}: {error}", file=sys.stderr)
json.dump(found, sys.stdout)
