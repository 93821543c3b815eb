import json, boto3, os, playlog
def handler(e, c):
    print(e, dict(os.environ), c.get_remaining_time_in_millis()); return {"ok":1}
