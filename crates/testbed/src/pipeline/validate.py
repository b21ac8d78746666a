# Prints what an SDK finds wrong with an operation's input, which comes as JSON; nothing if it is right.
import json
import sys

import botocore.session
from botocore.validate import ParamValidator

service, operation = sys.argv[1:]
model = botocore.session.get_session().get_service_model(service)
shape = model.operation_model(operation).input_shape
print(ParamValidator().validate(json.load(sys.stdin), shape).generate_report(), end="")
