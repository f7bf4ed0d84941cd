"""The Helm chart's values, and the files of the chart that are made from the code.

The templates are in `charts/reconstruction-operator/templates`, written by hand. What they take is said once, in
`values.py` and its neighbours: `values.yaml`, `values.schema.json` and the chart's README are made from it.
"""
